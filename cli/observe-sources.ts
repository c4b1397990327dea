import { createReadStream } from 'node:fs';
import { create, fromJson, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { BatchDecoder } from '#core/flow/batch.ts';
import { allocateColumns } from '#core/flow/columns.ts';
import { EndpointStore } from '#core/flow/endpoint-store.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import type { NodeBoot } from '#core/flow/node-boot.ts';
import { compileFlowFilters, loadFilterParts } from '#core/hubble/filter/compile.ts';
import { flowMessage } from '#core/hubble/flow-message.ts';
import { writeFlowRow } from '#core/hubble/flow-row.ts';
import { lostEvent } from '#core/hubble/lost-event.ts';
import { type Flow, FlowSchema } from '#proto/gen/flow/flow_pb.ts';
import {
  type GetFlowsRequest,
  GetFlowsRequestSchema,
  type GetFlowsResponse,
  GetFlowsResponseSchema,
  Observer,
} from '#proto/gen/observer/observer_pb.ts';
import { type Cursor, FlowService } from '#proto/gen/waggle/v1/flow_pb.ts';
import { boundedLines } from '#runtime/bounded-lines.ts';
import type { ClientSecurity } from '#runtime/grpc/client.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { CommandError } from './failure.ts';

/** Flows as an observer tells them. */
export type Responses = AsyncIterable<GetFlowsResponse>;

const MAX_RECEIVE_BYTES = 16 * 1024 * 1024;

/** What a Hubble observer answers: ours, or anyone's. */
export async function* fromObserver(
  server: string,
  request: MessageInitShape<typeof GetFlowsRequestSchema>,
  signal: AbortSignal,
  security?: ClientSecurity,
): Responses {
  const client = createClient(Observer, server, { maxReceiveBytes: MAX_RECEIVE_BYTES, security });
  try {
    yield* client.getFlows(request, { signal });
  } finally {
    client.close();
  }
}

export interface TokenRequest {
  /** Filter tokens, ANDed. */
  readonly filter: string[];
  readonly last: number;
  readonly follow: boolean;
}

/** Flows that pass filters only we have, as an observer would tell them. Followed streams are resumed where they ended. */
export async function* fromFlowService(
  server: string,
  request: TokenRequest,
  signal: AbortSignal,
  security?: ClientSecurity,
): Responses {
  const client = createClient(FlowService, server, { maxReceiveBytes: MAX_RECEIVE_BYTES, security });
  let cursor: Cursor | undefined;
  try {
    do {
      const endpoints = new EndpointStore();
      const nodes: NodeBoot[] = [];
      const decoder = new BatchDecoder({ endpoints, nodeNumber: (boot) => nodes.push(boot) - 1 });
      const { decisions, layer7 } = decoder;
      const tables = { endpoints, nodes, decisions, layer7 };
      for await (const batch of client.follow({ ...request, cursor }, { signal })) {
        cursor = batch.cursor ?? cursor;
        for (const loss of batch.losses) {
          yield create(GetFlowsResponseSchema, {
            nodeName: loss.node === '' ? '' : `${loss.cluster}/${loss.node}`,
            time: timestampFromMs(Date.now()),
            responseTypes: { case: 'lostEvents', value: lostEvent(loss) },
          });
        }
        const { rows, columns } = decoder.decode(batch);
        for (let row = 0; row < rows; row++) {
          const flow = flowMessage(columns, row, tables);
          const { time, nodeName } = flow;
          yield create(GetFlowsResponseSchema, { time, nodeName, responseTypes: { case: 'flow', value: flow } });
        }
      }
      // A stream that is followed ends only to be begun anew where it stood.
    } while (request.follow && !signal.aborted);
  } finally {
    client.close();
  }
}

/** A flow of Hubble's has 1 to 4 kB as JSON. */
const MOST_LINE_LENGTH = 4 * 1024 * 1024;
/** Lines of a file that are told one by one when they cannot be read. */
const MOST_COMPLAINTS = 10;

/**
 * Flows of a file with one JSON object per line, as `-o json` writes them; `-` is standard input. Filters are kept to. A line
 * that cannot be read is told and passed over: files are copied while they are written.
 * @throws CommandError when the file cannot be read, or none of its lines
 */
export async function* fromFile(
  path: string,
  init: MessageInitShape<typeof GetFlowsRequestSchema>,
  complain: (text: string) => void,
): Responses {
  const request = create(GetFlowsRequestSchema, init);
  await loadFilterParts(request);
  const passes = flowQuestion(request);
  const input = path === '-' ? process.stdin.setEncoding('utf8') : createReadStream(path, 'utf8');
  const number = Number(request.number);
  const kept: GetFlowsResponse[] = [];
  let count = 0;
  let read = 0;
  let broken = 0;
  const name = path === '-' ? 'standard input' : path;
  try {
    let line = 0;
    for await (const text of boundedLines(input, MOST_LINE_LENGTH)) {
      line++;
      if (text?.trim() === '') continue;
      if (line === 1 && text?.startsWith(GZIP_START)) {
        throw new CommandError(`${name} is compressed: gunzip -c FILE | waggle observe --input-file -`);
      }
      let response: GetFlowsResponse;
      try {
        if (text === undefined) throw new SyntaxError(`it is longer than ${MOST_LINE_LENGTH} characters`);
        response = readLine(text);
        read++;
      } catch (error) {
        const reason = `${name}, line ${line}: this is no flow as "-o json" writes it (${(error as Error).message})`;
        if (++broken <= MOST_COMPLAINTS) complain(reason);
        continue;
      }
      if (response.responseTypes.case !== 'flow') {
        yield response;
        continue;
      }
      if (!passes(response)) continue;
      if (number === 0) yield response;
      else if (request.first) {
        yield response;
        if (++count >= number) return;
      } else {
        kept.push(response);
        if (kept.length > number) kept.shift();
      }
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${path} cannot be read: ${(error as Error).message}`);
  }
  yield* kept;
  if (broken > MOST_COMPLAINTS) complain(`${name}: ${broken - MOST_COMPLAINTS} more lines are no flows`);
  if (read === 0 && broken > 0) throw new CommandError(`${name} has no flows`);
}

/** The first bytes of a gzip file, where they were read as UTF-8. */
const GZIP_START = '\x1f\ufffd\b';

function readLine(text: string): GetFlowsResponse {
  const json = JSON.parse(text);
  if (json === null || typeof json !== 'object') throw new SyntaxError('expected an object');
  // Private ones: what they are, only who wrote them knows.
  delete json.extensions;
  delete json.flow?.extensions;
  if ('flow' in json || 'lost_events' in json || 'node_status' in json || 'lostEvents' in json) {
    return fromJson(GetFlowsResponseSchema, json, { ignoreUnknownFields: true });
  }
  const flow = fromJson(FlowSchema, json, { ignoreUnknownFields: true });
  const { time, nodeName } = flow;
  return create(GetFlowsResponseSchema, { time, nodeName, responseTypes: { case: 'flow', value: flow } });
}

/** Asks the request's filters of one flow at a time, by way of a window of one row. */
function flowQuestion(request: GetFlowsRequest): (response: GetFlowsResponse) => boolean {
  const window = new FlowWindow(1);
  const { endpoints, nodes, decisions } = window;
  let flow: Flow;
  const passes = compileFlowFilters(request, { endpoints, nodes, decisions, told: () => flow });
  const columns = allocateColumns(1);
  const boot: NodeBoot = { cluster: '', node: '', bootId: 0n };
  return ({ responseTypes }) => {
    if (responseTypes.case !== 'flow') return true;
    flow = responseTypes.value;
    const { time } = flow;
    if (time !== undefined) {
      const { since, until } = request;
      if (since !== undefined && compareTimes(time, since) < 0) return false;
      if (until !== undefined && compareTimes(time, until) > 0) return false;
    }
    writeFlowRow(flow, boot, 1, columns, 0, window);
    window.push(columns, 0);
    return passes(window.columns, 0);
  };
}

function compareTimes(a: { seconds: bigint; nanos: number }, b: { seconds: bigint; nanos: number }): number {
  return a.seconds === b.seconds ? a.nanos - b.nanos : a.seconds < b.seconds ? -1 : 1;
}
