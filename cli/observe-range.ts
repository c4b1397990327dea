import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { GetFlowsResponse } from '#proto/gen/observer/observer_pb.ts';
import type { Responses } from './observe-sources.ts';

/** A stretch of time, both ends in it. */
export interface ObservedRange {
  readonly since?: Timestamp;
  readonly until?: Timestamp;
  /** Of the past flows in it, the newest so many; undefined = all. */
  readonly last?: number;
}

/** Those of a stretch of time. It ends with the first flow that is later, as an observer's answer does. */
export async function* inRange(responses: Responses, { since, until, last }: ObservedRange): Responses {
  const from = since && nanos(since);
  const to = until && nanos(until);
  const kept: GetFlowsResponse[] = [];
  for await (const response of responses) {
    if (response.responseTypes.case === 'flow' && response.time !== undefined) {
      const time = nanos(response.time);
      if (from !== undefined && time < from) continue;
      if (to !== undefined && time > to) break;
    }
    if (last === undefined) {
      yield response;
      continue;
    }
    kept.push(response);
    if (kept.length > last) kept.shift();
  }
  yield* kept;
}

function nanos({ seconds, nanos }: Timestamp): bigint {
  return seconds * 1_000_000_000n + BigInt(nanos);
}
