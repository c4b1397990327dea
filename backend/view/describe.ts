import { setImmediate as nextTurn } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { isPerNodeKey } from '#core/card/card-name.ts';
import { all } from '#core/filter/algebra.ts';
import { compileFilter, compileNamespaces } from '#core/filter/compile-filter.ts';
import { BatchEncoder } from '#core/flow/batch.ts';
import { rowTimeMs } from '#core/flow/columns.ts';
import { isTranslation } from '#core/flow/translation.ts';
import { type DescribeRequest, type DescribeResponse, DescribeResponseSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { Code, StatusError } from '#runtime/grpc/service.ts';
import { guessedFromPorts, ORIENTATION, statedOrientation } from '../live-map/orientation.ts';
import type { MergedFlows } from '../relay/merged-flows.ts';
import { timestamp } from '../timestamp.ts';
import { CardNumbers } from './card-numbers.ts';
import { DropTally } from './drop-tally.ts';
import { MemberTally } from './member-tally.ts';
import { readSelection } from './read-selection.ts';
import { SeriesTally, STEP_MS, STEPS } from './series-tally.ts';

const SLICE_ROWS = 16_384;
const MOST_LATEST = 100;
const MOST_KEY = 1_024;

/** What the window knows about a card or the traffic between two. Throws a StatusError for a request that makes no sense. */
export async function describe(
  relay: MergedFlows,
  request: DescribeRequest,
  signal: AbortSignal,
  now = Date.now(),
): Promise<DescribeResponse> {
  const { card, destination } = request;
  if (card === '') throw new StatusError(Code.INVALID_ARGUMENT, 'the key of a card is asked for');
  if (card.length > MOST_KEY || destination.length > MOST_KEY) {
    throw new StatusError(Code.INVALID_ARGUMENT, `a card's key has at most ${MOST_KEY} characters`);
  }
  const { namespaces, filter } = readSelection(request);
  const { window } = relay;
  const { columns } = window;
  const matches = all([compileNamespaces(namespaces, window), compileFilter(filter, window)]);
  const cards = new CardNumbers(window.endpoints, isPerNodeKey(card));
  const self = cards.numberOf(card);
  const other = destination === '' ? undefined : cards.numberOf(destination);
  // Whole steps only, and always the same ones: what is drawn of them does not change from one answer to the next.
  const endMs = Math.floor(now / STEP_MS) * STEP_MS;
  const startMs = endMs - STEPS * STEP_MS;
  const members = new MemberTally(window.endpoints);
  const series = new SeriesTally(cards, startMs);
  const drops = new DropTally(cards, window);
  const latest: number[] = [];
  const mostLatest = Math.min(request.last, MOST_LATEST);

  for (let position = window.end; position > window.start && !signal.aborted; ) {
    const slice = Math.max(window.start, position - SLICE_ROWS);
    while (position > slice) {
      const row = window.slot(--position);
      if (isTranslation(columns.observation[row])) continue;
      const source = cards.of(columns.source[row]);
      const sink = cards.of(columns.destination[row]);
      if (source !== self && sink !== self) continue;
      if (other !== undefined && source !== other && sink !== other) continue;
      if (!matches(columns, row)) continue;
      const stated = statedOrientation(columns, row);
      const back =
        (stated === ORIENTATION.OPEN
          ? guessedFromPorts(columns.sourcePort[row], columns.destinationPort[row])
          : stated) === ORIENTATION.BACK;
      const client = back ? sink : source;
      const server = back ? source : sink;
      if (other !== undefined && (client !== self || server !== other)) continue;
      const timeMs = rowTimeMs(columns, row);
      if (source === self) members.add(columns.source[row], timeMs);
      if (sink === self) members.add(columns.destination[row], timeMs);
      series.add(columns, row, client, server, back, timeMs);
      if (timeMs >= startMs) drops.add(columns, row, client, server, back, timeMs);
      if (latest.length < mostLatest) latest.push(position);
    }
    members.settle();
    drops.settle();
    await nextTurn();
  }

  const oldestMs = window.length === 0 ? endMs : rowTimeMs(columns, window.slot(window.start));
  const held = latest.filter((position) => position >= window.start).reverse();
  const { told, omitted } = members.messages();
  const known = Math.min(STEPS, Math.max(0, Math.ceil((oldestMs - startMs) / STEP_MS)));
  return create(DescribeResponseSchema, {
    members: told,
    omittedMembers: omitted,
    seriesStart: timestamp(startMs + known * STEP_MS),
    stepMillis: STEP_MS,
    edges: series.messages(known),
    drops: drops.messages(),
    latest: new BatchEncoder(window).encode(held),
  });
}
