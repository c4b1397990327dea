import type { DescService } from '@bufbuild/protobuf';
import { type Client, createClient } from '#runtime/grpc/client.ts';
import { failureWords } from '#runtime/grpc/failure-words.ts';
import { StatusError } from '#runtime/grpc/service.ts';
import type { PeerTarget } from './peer-target.ts';

/** Agents asked at the same time. */
const AT_ONCE = 32;

/** An agent that did not answer. */
export interface SilentAgent {
  readonly name: string;
  /** The status' code and words. */
  readonly reason: string;
}

/** A client of one service of each node's agent. */
export class AgentClients<S extends DescService> {
  readonly #service: S;
  #clients = new Map<string, { readonly target: PeerTarget; readonly client: Client<S> }>();

  constructor(service: S) {
    this.#service = service;
  }

  /** These agents and no others; who stays keeps the connection. */
  follow(targets: readonly PeerTarget[]): void {
    const before = this.#clients;
    this.#clients = new Map();
    for (const target of targets) {
      const known = before.get(target.name);
      const same = known?.target.address === target.address ? known : undefined;
      const { address, security } = target;
      this.#clients.set(target.name, same ?? { target, client: createClient(this.#service, address, { security }) });
      if (same !== undefined) before.delete(target.name);
    }
    for (const { client } of before.values()) client.close();
  }

  /** The agent of this node; of any, where the name is empty. */
  of(node: string): Client<S> | undefined {
    const [first] = this.#clients.keys();
    return this.#clients.get(node || (first ?? ''))?.client;
  }

  /** Asks all of them, a few at a time, and tells each answer as it comes. Resolves with who did not answer, by name. */
  async askAll<T>(
    ask: (client: Client<S>) => Promise<T>,
    tell: (answer: T, node: string) => void,
  ): Promise<SilentAgent[]> {
    const waiting = [...this.#clients.values()];
    const silent: SilentAgent[] = [];
    const askNext = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { name } = next.target;
        try {
          tell(await ask(next.client), name);
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          silent.push({ name, reason: failureWords(error) });
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, askNext));
    return silent.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
