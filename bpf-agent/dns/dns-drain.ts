import type { KnownNames } from '#core/dns/known-names.ts';
import type { Endpoint } from '#core/flow/endpoint.ts';
import type { AddressBook } from '../events/address-book.ts';
import { addressText } from '../events/endpoint-table.ts';
import type { RingConsumer } from '../events/ring-consumer.ts';
import type { RingView } from '../events/ring-record.ts';
import { DNS_SAMPLE_TWIN } from '../maps/dns-samples.ts';
import { type DnsAnswer, readDnsAnswer } from './read-answer.ts';

/** Samples per look at the ring: with a look every 5 ms, some 6,000 a second. The ring holds the others, as long as it has room. */
const SAMPLES_PER_LOOK = 32;

const AT = {
  client: DNS_SAMPLE_TWIN.fields.clientAddress[0],
  server: DNS_SAMPLE_TWIN.fields.serverAddress[0],
  clientIdentity: DNS_SAMPLE_TWIN.fields.clientIdentity[0],
  serverIdentity: DNS_SAMPLE_TWIN.fields.serverIdentity[0],
  length: DNS_SAMPLE_TWIN.fields.length[0],
  payload: DNS_SAMPLE_TWIN.fields.payload[0],
} as const;

/** Learns what pods call addresses outside the cluster from the answers that their DNS servers give them. */
export class DnsDrain {
  readonly #ring: Pick<RingConsumer, 'drain'>;
  readonly #book: AddressBook;
  readonly #names: KnownNames;
  /** Is told of each answer, who asked and who was asked. */
  onAnswer: ((answer: DnsAnswer, client: Endpoint, server: Endpoint) => void) | undefined;
  #read = 0;
  #unreadable = 0;

  constructor(ring: Pick<RingConsumer, 'drain'>, book: AddressBook, names: KnownNames) {
    this.#ring = ring;
    this.#book = book;
    this.#names = names;
  }

  /** Answers that were read. */
  get read(): number {
    return this.#read;
  }

  /** Of those, the ones that are not what a DNS server says of a host's name. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** One look at the ring. To be had before flows are read: who connects to an address has asked for it first. */
  look(nowMs = performance.now()): void {
    this.#read += this.#ring.drain((view, at) => this.#learn(view, at, nowMs), SAMPLES_PER_LOOK);
  }

  #learn(view: RingView, at: number, nowMs: number): void {
    const { u8, u16 } = view;
    const from = at + AT.payload;
    const answer = readDnsAnswer(u8.subarray(from, from + u16[(at + AT.length) >>> 1]));
    if (answer === undefined) {
      this.#unreadable++;
      return;
    }
    const client = this.#end(view, at + AT.client, at + AT.clientIdentity);
    this.onAnswer?.(answer, client, this.#end(view, at + AT.server, at + AT.serverIdentity));
    const { namespace } = client;
    // Names belong to those who may see who asked: without that they are nobody's.
    if (namespace === '') return;
    for (const { address, ttlSeconds } of answer.addresses) {
      if (!this.#book.knows(address)) this.#names.learn(namespace, address, answer.name, ttlSeconds, nowMs);
    }
  }

  #end({ u32 }: RingView, address: number, identity: number): Endpoint {
    const word = address >>> 2;
    return this.#book.lookup(addressText(u32[word], u32[word + 1], u32[word + 2], u32[word + 3]), u32[identity >>> 2]);
  }
}
