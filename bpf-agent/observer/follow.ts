import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { compileFilter, compileNamespaces, type RowPredicate } from '#core/filter/compile-filter.ts';
import { parseFilter } from '#core/filter/parse-filter.ts';
import { BatchEncoder } from '#core/flow/batch.ts';
import {
  CursorSchema,
  type FlowBatch,
  type FollowRequest,
  type Loss,
  LossSchema,
  LossSource,
  NodeBootSchema,
} from '#proto/gen/waggle/v1/flow_pb.ts';
import { type CallContext, Code, StatusError } from '#runtime/grpc/service.ts';
import type { FlowLog } from './flow-log.ts';
import type { LossEntry } from './loss-log.ts';

/** A flow is sent at most this long after it was read from the ring, in milliseconds. */
const FLUSH_MS = 20;
/** Without news, a batch without rows tells that all is well and how far the node is. */
const HEARTBEAT_MS = 1_000;
const ROWS_PER_BATCH = 4_096;
/** Rows looked at for a filtered batch before it is sent as it is. */
const ROWS_LOOKED_AT = 65_536;

export interface FollowLimits {
  /** Dictionary entries after which the stream asks its reader to come again. */
  readonly dictionary: number;
}

/** One reader's stream: past flows as asked for, then new ones, with what was lost in between. */
export async function* follow(
  log: FlowLog,
  request: FollowRequest,
  { signal }: CallContext,
  limits: FollowLimits = { dictionary: 1_000_000 },
): AsyncGenerator<FlowBatch> {
  const matches = predicate(log, request);
  const encoder = new BatchEncoder(log.window);
  const rows = new Float64Array(ROWS_PER_BATCH);
  const { position: start, nextLoss: firstLoss, missed } = startOf(log, request, matches);
  const last = request.follow ? Number.POSITIVE_INFINITY : log.window.end;
  let position = start;
  let nextLoss = firstLoss;
  let losses: Loss[] = missed;
  let spokeAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const { window } = log;
    if (position < window.start) {
      losses.push(lossMessage(log, overwritten(window.start - position)));
      position = window.start;
    }
    const end = Math.min(window.end, position + ROWS_LOOKED_AT, last);
    let count = 0;
    for (; position < end && count < ROWS_PER_BATCH; position++) {
      if (matches(window.columns, window.slot(position))) rows[count++] = position;
    }
    for (const entry of log.losses.from(nextLoss)) losses.push(lossMessage(log, entry));
    nextLoss = log.losses.end;

    const now = performance.now();
    if (count > 0 || losses.length > 0 || now - spokeAt >= HEARTBEAT_MS) {
      const batch = encoder.encode(rows.subarray(0, count));
      batch.losses = losses;
      losses = [];
      batch.cursor = create(CursorSchema, {
        positions: [{ boot: create(NodeBootSchema, log.boot), sequence: BigInt(position) }],
      });
      spokeAt = now;
      yield batch;
      if (encoder.dictionarySize >= limits.dictionary) {
        throw new StatusError(Code.UNAVAILABLE, 'rotate: the stream has grown large; follow again from its cursor');
      }
    }
    if (position >= last) return;
    if (position < log.window.end) continue;
    await log.news(signal, HEARTBEAT_MS);
    // Whatever comes within the flush interval shares a batch; after a pause the first flow goes at once.
    const wait = spokeAt + FLUSH_MS - performance.now();
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

function predicate(log: FlowLog, request: FollowRequest): RowPredicate {
  const { filter, errors } = parseFilter(request.filter);
  if (errors.length > 0) {
    const [{ token, start, message }] = errors;
    throw new StatusError(
      Code.INVALID_ARGUMENT,
      `filter "${request.filter[token]}", character ${start + 1}: ${message}`,
    );
  }
  const byFilter = compileFilter(filter, log.window);
  if (request.namespaces.length === 0) return byFilter;
  const byNamespace = compileNamespaces(request.namespaces, log.window);
  return (columns, row) => byNamespace(columns, row) && byFilter(columns, row);
}

interface Start {
  readonly position: number;
  /** Number of the first loss to tell. */
  readonly nextLoss: number;
  /** What the reader will never get. */
  readonly missed: Loss[];
}

function startOf(log: FlowLog, request: FollowRequest, matches: RowPredicate): Start {
  const positions = (request.cursor?.positions ?? []).filter(
    ({ boot }) => boot?.cluster === log.boot.cluster && boot.node === log.boot.node,
  );
  if (positions.length === 0) {
    return { position: lastMatching(log, request.last, matches), nextLoss: log.losses.end, missed: [] };
  }
  const current = positions.find(({ boot }) => boot?.bootId === log.boot.bootId);
  if (current !== undefined) {
    // A sequence this boot has not reached was not ours to give: the reader gets what comes.
    const position = Math.min(Number(current.sequence), log.window.end);
    return { position, nextLoss: log.losses.after(position), missed: [] };
  }
  const [{ boot, sequence }] = positions;
  const { count, firstMs } = log.history.missedAfter(boot!.bootId, Number(sequence));
  const missed =
    count === 0
      ? []
      : [
          lossMessage(log, {
            source: LossSource.AGENT_RESTART,
            count,
            sequence: 0,
            firstMs,
            lastMs: Date.now(),
          }),
        ];
  return { position: 0, nextLoss: 0, missed };
}

/** Position of the first of the last `count` rows that match. */
function lastMatching({ window }: FlowLog, count: number, matches: RowPredicate): number {
  let position = window.end;
  for (let left = count; left > 0 && position > window.start; ) {
    position--;
    if (matches(window.columns, window.slot(position))) left--;
  }
  return position;
}

function overwritten(count: number): LossEntry {
  const now = Date.now();
  return { source: LossSource.AGENT_RING, count, sequence: 0, firstMs: now, lastMs: now };
}

function lossMessage(log: FlowLog, entry: LossEntry): Loss {
  return create(LossSchema, {
    cluster: log.boot.cluster,
    node: log.boot.node,
    source: entry.source,
    count: BigInt(entry.count),
    first: timestampFromMs(entry.firstMs),
    last: timestampFromMs(entry.lastMs),
  });
}
