import { create, toJson } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { RowPredicate } from '#core/filter/algebra.ts';
import { FlowMask } from '#core/hubble/field-mask.ts';
import { compileFlowFilters } from '#core/hubble/filter/compile.ts';
import { hubbleResponseJson } from '#core/hubble/flow-json.ts';
import { flowMessage } from '#core/hubble/flow-message.ts';
import { type FlowFilter, FlowSchema, LostEventSchema, LostEventSource } from '#proto/gen/flow/flow_pb.ts';
import { ExportEventSchema } from '#proto/gen/observer/observer_pb.ts';
import type { Logger } from '../log.ts';
import { pause } from '../pause.ts';
import type { ObservedFlows } from './observed-flows.ts';
import { TimeSlice } from './time-slice.ts';

/** What comes within this time is written together, in milliseconds. */
const FLUSH_MS = 200;
const IDLE_MS = 60_000;
const ROWS_PER_WRITE = 1_024;
const RETRY_MS = 1_000;

/** Which flows are exported, and what of them. */
export interface ExportSelection {
  readonly allow: readonly FlowFilter[];
  readonly deny: readonly FlowFilter[];
  /** Paths of `flow.Flow`; empty = all. */
  readonly fieldMask: readonly string[];
}

/** Takes exported events. Throws when it cannot take them now: they are offered again. */
export interface ExportSink {
  /**
   * @param events JSON objects in the shape of Hubble's ExportEvent
   * @returns how many of these it will never take, Infinity for all: they are counted as lost
   */
  write(events: readonly object[]): Promise<number>;
  close(): Promise<void>;
}

/**
 * Hands the flows that an observer sees from now on to a sink, in Hubble's shape. A sink that is slow or fails is waited
 * for; what the window has overwritten by then is told as lost, in the export and by `lost`.
 */
export class FlowExporter {
  readonly #flows: ObservedFlows;
  readonly #sink: ExportSink;
  readonly #matches: RowPredicate;
  readonly #mask: FlowMask;
  readonly #log: Logger;
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  #position: number;
  #failing = false;
  #refusing = false;
  /** Flows that the sink took. */
  exported = 0;
  /** Flows that were overwritten before the sink could take them, or that it refused. */
  lost = 0;

  /** Throws FlowFilterError or FieldMaskError. */
  constructor(flows: ObservedFlows, sink: ExportSink, { allow, deny, fieldMask }: ExportSelection, log: Logger) {
    this.#flows = flows;
    this.#sink = sink;
    this.#matches = compileFlowFilters({ whitelist: allow, blacklist: deny }, flows.window);
    this.#mask = new FlowMask({ paths: [...fieldMask] });
    this.#log = log;
    this.#position = flows.window.end;
    this.#done = this.#run();
  }

  /** Ends after what has been seen was offered once more. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#done;
    await this.#sink.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    const { window } = this.#flows;
    for (let last = false; ; ) {
      while (this.#position < window.end) {
        if (!(await this.#writeSome()) && signal.aborted) return;
      }
      if (last) return;
      if (!signal.aborted) await this.#flows.news(signal, IDLE_MS);
      if (!signal.aborted) await pause(FLUSH_MS, signal);
      last = signal.aborted;
    }
  }

  /** Exports up to a chunk of rows; false when the sink did not take them. */
  async #writeSome(): Promise<boolean> {
    const { window, nodeName } = this.#flows;
    const events: object[] = [];
    let position = this.#position;
    let overwritten = 0;
    if (position < window.start) {
      overwritten = window.start - position;
      events.push(lostEvent(nodeName, overwritten));
      position = window.start;
    }
    let flows = 0;
    const slice = new TimeSlice();
    for (; position < window.end && events.length < ROWS_PER_WRITE && !slice.over; position++) {
      const slot = window.slot(position);
      if (!this.#matches(window.columns, slot)) continue;
      events.push(this.#event(slot));
      flows++;
    }
    let refused = 0;
    if (events.length > 0) {
      try {
        refused = Math.min(await this.#sink.write(events), flows);
        if (refused > 0 && !this.#refusing) this.#log.warn('the export loses flows: what it writes to refuses them');
        this.#refusing = refused > 0;
        if (this.#failing) this.#log.info('the export goes on');
        this.#failing = false;
      } catch (error) {
        if (!this.#failing) this.#log.warn({ err: error }, 'the export waits: what it writes to does not take flows');
        this.#failing = true;
        await pause(RETRY_MS, this.#ended.signal);
        return false;
      }
    } else await slice.turn();
    this.#position = position;
    this.lost += overwritten + refused;
    this.exported += flows - refused;
    return true;
  }

  #event(slot: number): object {
    const { window } = this.#flows;
    const full = hubbleResponseJson(window.columns, slot, window);
    if (this.#mask.everything) return full;
    const flow = this.#mask.project(FlowSchema, flowMessage(window.columns, slot, window));
    return { ...full, flow: toJson(FlowSchema, flow, { useProtoFieldName: true }) };
  }
}

function lostEvent(nodeName: string, count: number): object {
  const value = create(LostEventSchema, {
    source: LostEventSource.HUBBLE_RING_BUFFER,
    numEventsLost: BigInt(count),
  });
  const event = create(ExportEventSchema, {
    nodeName,
    time: timestampFromMs(Date.now()),
    responseTypes: { case: 'lostEvents', value },
  });
  return toJson(ExportEventSchema, event, { useProtoFieldName: true }) as object;
}
