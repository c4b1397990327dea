import { create } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { type LostEvent, LostEventSchema, LostEventSource } from '#proto/gen/flow/flow_pb.ts';
import { LossSource } from '#proto/gen/waggle/v1/flow_pb.ts';

/** Hubble's word for each place where something can be lost. */
const SOURCES: Readonly<Record<LossSource, LostEventSource>> = {
  [LossSource.UNSPECIFIED]: LostEventSource.UNKNOWN_LOST_EVENT_SOURCE,
  [LossSource.KERNEL_RING]: LostEventSource.PERF_EVENT_RING_BUFFER,
  [LossSource.AGENT_RING]: LostEventSource.HUBBLE_RING_BUFFER,
  [LossSource.AGENT_RESTART]: LostEventSource.HUBBLE_RING_BUFFER,
  [LossSource.RELAY_QUEUE]: LostEventSource.OBSERVER_EVENTS_QUEUE,
  [LossSource.VIEW_QUEUE]: LostEventSource.OBSERVER_EVENTS_QUEUE,
  [LossSource.UNPARSED_PACKET]: LostEventSource.UNKNOWN_LOST_EVENT_SOURCE,
  [LossSource.CONNECTION_TABLE]: LostEventSource.UNKNOWN_LOST_EVENT_SOURCE,
};

/** Sources this version does not know are unknown to Hubble too. */
export function hubbleLossSource(source: LossSource): LostEventSource {
  return SOURCES[source] ?? LostEventSource.UNKNOWN_LOST_EVENT_SOURCE;
}

/** A loss as Hubble's LostEvent. */
export function lostEvent(loss: {
  readonly source: LossSource;
  readonly count: bigint;
  readonly first?: Timestamp;
  readonly last?: Timestamp;
}): LostEvent {
  const { source, count, first, last } = loss;
  return create(LostEventSchema, { source: hubbleLossSource(source), numEventsLost: count, first, last });
}
