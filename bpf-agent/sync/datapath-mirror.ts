import { formatAddress, parseAddress } from '#core/ip/address.ts';
import type { Datapath } from '../loader/datapath.ts';
import { LoaderError } from '../loader/loader-error.ts';
import { type EndpointEntry, sameEndpointEntry } from '../maps/endpoints.ts';
import { difference, isEmpty } from './difference.ts';

/** Maps and hooks of the datapath as the agent wants them, in its own words. */
export interface MapContents {
  /** By interface index. */
  readonly endpoints: ReadonlyMap<number, EndpointEntry>;
  /** By canonical address. */
  readonly identities: ReadonlyMap<string, number>;
  /** By CIDR. */
  readonly prefixes: ReadonlyMap<string, number>;
}

const MAPPED_BITS = 96;

/**
 * What the datapath's maps hold, known without reading them: only differences are written. It starts from what an earlier
 * agent left pinned.
 */
export class DatapathMirror {
  readonly #datapath: Datapath;
  readonly #endpoints: Map<number, EndpointEntry>;
  readonly #identities: Map<string, number>;
  readonly #prefixes: Map<string, number>;

  constructor(datapath: Datapath) {
    this.#datapath = datapath;
    const { endpoints, identities } = datapath.maps;
    this.#endpoints = new Map(endpoints.entries());
    this.#identities = new Map(
      [...identities.exact.entries()].map(([address, identity]) => [formatAddress(address), identity]),
    );
    this.#prefixes = new Map(
      [...identities.prefixes()].map(([{ address, prefixLength }, identity]) => [
        cidrText(address, prefixLength),
        identity,
      ]),
    );
  }

  get endpoints(): ReadonlyMap<number, EndpointEntry> {
    return this.#endpoints;
  }

  /** Identities that addresses are mapped to. */
  identities(): Set<number> {
    return new Set(this.#identities.values());
  }

  /** Interfaces that carry the programs. */
  attached(): Set<number> {
    return new Set(this.#datapath.attached().map(({ interfaceIndex }) => interfaceIndex));
  }

  /**
   * Makes maps and hooks hold exactly this: what is new first, hooks between, what is gone last, so that no packet of a pod
   * meets a program that does not know it.
   *
   * @param links interfaces that exist; programs are taken off those that do not
   * @returns per interface that could not be attached, why; throws LoaderError when a map refuses
   */
  apply(desired: MapContents, links: ReadonlySet<number>): Map<number, string> {
    const { maps } = this.#datapath;
    const identities = difference(this.#identities, desired.identities);
    const prefixes = difference(this.#prefixes, normalised(desired.prefixes));
    const endpoints = difference(this.#endpoints, desired.endpoints, sameEndpointEntry);
    for (const [address, identity] of identities.set) {
      maps.identities.setAddress(parseAddress(address), identity);
      this.#identities.set(address, identity);
    }
    for (const [cidr, identity] of prefixes.set) {
      maps.identities.setPrefix(...cidrParts(cidr), identity);
      this.#prefixes.set(cidr, identity);
    }
    for (const [index, entry] of endpoints.set) {
      maps.endpoints.set(index, entry);
      this.#endpoints.set(index, entry);
    }

    this.#datapath.takeOver();
    const problems = this.#attach(desired.endpoints.keys(), links);

    for (const index of endpoints.delete) {
      maps.endpoints.delete(index);
      this.#endpoints.delete(index);
    }
    for (const cidr of prefixes.delete) {
      maps.identities.deletePrefix(...cidrParts(cidr));
      this.#prefixes.delete(cidr);
    }
    for (const address of identities.delete) {
      maps.identities.deleteAddress(parseAddress(address));
      this.#identities.delete(address);
    }
    if (![identities, prefixes, endpoints].every(isEmpty)) maps.state.bump();
    return problems;
  }

  /** Puts the programs on an interface of its own accord, under this entry, unless it has one. Throws LoaderError. */
  introduce(interfaceIndex: number, entry: EndpointEntry): void {
    if (!this.#endpoints.has(interfaceIndex)) {
      this.#datapath.maps.endpoints.set(interfaceIndex, entry);
      this.#endpoints.set(interfaceIndex, entry);
    }
    if (!this.attached().has(interfaceIndex)) this.#datapath.attach(interfaceIndex);
  }

  #attach(wanted: Iterable<number>, links: ReadonlySet<number>): Map<number, string> {
    const problems = new Map<number, string>();
    const attached = this.attached();
    for (const index of wanted) {
      if (attached.has(index) || !links.has(index)) continue;
      try {
        this.#datapath.attach(index);
      } catch (error) {
        if (!(error instanceof LoaderError)) throw error;
        problems.set(index, error.message);
      }
    }
    for (const index of attached) if (!links.has(index)) this.#datapath.detach(index);
    return problems;
  }
}

function cidrParts(cidr: string): [Uint8Array, number] {
  const slash = cidr.lastIndexOf('/');
  return [parseAddress(cidr.slice(0, slash)), Number(cidr.slice(slash + 1))];
}

/** @param prefixLength bits of the 16-byte form */
function cidrText(address: Uint8Array, prefixLength: number): string {
  const text = formatAddress(address);
  return `${text}/${text.includes(':') ? prefixLength : prefixLength - MAPPED_BITS}`;
}

/** One text per CIDR, with the bits beyond the prefix cleared: as the mirror reads them back. */
function normalised(prefixes: ReadonlyMap<string, number>): Map<string, number> {
  const result = new Map<string, number>();
  for (const [cidr, identity] of prefixes) {
    const [address, length] = cidrParts(cidr);
    for (let index = 0; index < address.length; index++) {
      const bits = Math.max(0, Math.min(8, length - index * 8));
      address[index] &= (0xff << (8 - bits)) & 0xff;
    }
    result.set(`${formatAddress(address)}/${length}`, identity);
  }
  return result;
}
