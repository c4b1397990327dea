import { create } from '@bufbuild/protobuf';
import type { Endpoint } from '#core/flow/endpoint.ts';
import type { EndpointStore } from '#core/flow/endpoint-store.ts';
import { type Member, MemberSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { timestamp } from '../timestamp.ts';

const MOST_MEMBERS = 200;
/** Members told apart at all: the world has very many. */
const MOST_COUNTED = 20_000;

/** The pods or addresses of a card. Rows come newest first, so what is first known of one is the newest. */
export class MemberTally {
  readonly #endpoints: EndpointStore;
  readonly #members = new Map<string, { endpoint: Endpoint; seenMs: number }>();
  /** By endpoint number, good until other rows come into the window. */
  readonly #seenMs = new Map<number, number>();

  constructor(endpoints: EndpointStore) {
    this.#endpoints = endpoints;
  }

  add(endpoint: number, timeMs: number): void {
    const seen = this.#seenMs.get(endpoint);
    if (seen === undefined || seen < timeMs) this.#seenMs.set(endpoint, timeMs);
  }

  settle(): void {
    for (const [number, seenMs] of this.#seenMs) {
      const endpoint = this.#endpoints.get(number);
      const key = endpoint.pod === '' ? endpoint.address : `${endpoint.namespace}/${endpoint.pod}`;
      const known = this.#members.get(key);
      if (known !== undefined) known.seenMs = Math.max(known.seenMs, seenMs);
      else if (this.#members.size < MOST_COUNTED) this.#members.set(key, { endpoint, seenMs });
    }
    this.#seenMs.clear();
  }

  /** The latest heard first. */
  messages(): { told: Member[]; omitted: number } {
    const told = [...this.#members.values()]
      .sort((a, b) => b.seenMs - a.seenMs)
      .slice(0, MOST_MEMBERS)
      .map(({ endpoint, seenMs }) =>
        create(MemberSchema, {
          name: endpoint.pod || endpoint.address,
          address: endpoint.address,
          node: endpoint.node,
          identity: endpoint.identity,
          labels: [...endpoint.labels],
          names: [...endpoint.names],
          lastSeen: timestamp(seenMs),
        }),
      );
    return { told, omitted: this.#members.size - told.length };
  }
}
