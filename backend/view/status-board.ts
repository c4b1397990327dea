import { create } from '@bufbuild/protobuf';
import {
  type StaleSource,
  StaleSourceSchema,
  type StatusResponse,
  StatusResponseSchema,
} from '#proto/gen/waggle/v1/flow_pb.ts';
import { type ViewUpdate, ViewUpdateSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import type { MergedFlows } from '../relay/merged-flows.ts';
import { timestamp } from '../timestamp.ts';

/** How old a status may be that is told again. */
const FRESH_MS = 500;

/** How the relay and its nodes stand, put together at most twice a second however many ask. */
export class StatusBoard {
  readonly #relay: MergedFlows;
  readonly #version: string;
  /** Set when flows are replayed from a recording: why. */
  readonly #replayReason: string;
  readonly #source: Pick<ClusterSource, 'problems'> | undefined;
  #update: ViewUpdate | undefined;
  #madeMs = 0;
  #nodesVersion = -1;

  constructor(relay: MergedFlows, version: string, replayReason = '', source?: Pick<ClusterSource, 'problems'>) {
    this.#relay = relay;
    this.#version = version;
    this.#replayReason = replayReason;
    this.#source = source;
  }

  current(): StatusResponse {
    return this.update().status!;
  }

  /** The same message for everyone who asks at about the same time. */
  update(): ViewUpdate {
    const now = performance.now();
    if (
      this.#update === undefined ||
      now - this.#madeMs > FRESH_MS ||
      this.#nodesVersion !== this.#relay.nodesVersion
    ) {
      this.#madeMs = now;
      this.#nodesVersion = this.#relay.nodesVersion;
      this.#update = create(ViewUpdateSchema, { status: this.#make() });
    }
    return this.#update;
  }

  #make(): StatusResponse {
    const { window, rate, requests, losses } = this.#relay;
    return create(StatusResponseSchema, {
      version: this.#version,
      nodes: this.#relay.nodes(),
      flowsSeen: BigInt(rate.total),
      flowsHeld: BigInt(window.length),
      flowsCapacity: BigInt(window.capacity),
      flowsPerSecond: rate.perSecond(),
      losses: losses.counts(),
      replayReason: this.#replayReason,
      stale: this.#stale(),
      layer7FlowsSeen: BigInt(requests.total),
    });
  }

  #stale(): StaleSource[] {
    return (this.#source?.problems() ?? []).flatMap(({ subject, stale }) => {
      if (stale === undefined) return [];
      const { sinceMs, reason } = stale;
      return create(StaleSourceSchema, {
        name: subject,
        reason,
        since: sinceMs === undefined ? undefined : timestamp(sinceMs),
      });
    });
  }
}
