import { timestampMs } from '@bufbuild/protobuf/wkt';
import { lossSourceName } from '#core/flow/loss-source-name.ts';
import { terminalText } from '#core/observe/terminal-text.ts';
import {
  type LossCount,
  NodeState,
  type NodeStatus,
  type StaleSource,
  type StatusResponse,
} from '#proto/gen/waggle/v1/flow_pb.ts';

const STATE_NAMES: Readonly<Record<number, string>> = {
  [NodeState.CONNECTED]: 'connected',
  [NodeState.CONNECTING]: 'connecting',
  [NodeState.UNAVAILABLE]: 'unavailable',
};

/** What `waggle status` prints: sums, then a line for each node. */
export function statusText(status: StatusResponse, nowMs: number = Date.now()): string {
  const connected = status.nodes.filter((node) => node.state === NodeState.CONNECTED).length;
  const sums = [
    ['Nodes', `${connected}/${status.nodes.length} connected`],
    ['Flows/s', status.flowsPerSecond.toFixed(1)],
    ['Flows', `${status.flowsSeen} seen, ${status.flowsHeld} of ${status.flowsCapacity} held`],
    ['Lost', lossText(status.losses)],
    ...status.stale.map((stale) => ['Stale', staleText(stale, nowMs)]),
    ...(status.replayReason === '' ? [] : [['Replay', status.replayReason]]),
  ].map(([name, value]) => `${`${name}:`.padEnd(9)}${value}`);
  if (status.nodes.length === 0) return [...sums, '', 'No node is known.'].join('\n');
  const rows = status.nodes.map((node) => [
    node.name,
    STATE_NAMES[node.state] ?? 'unknown',
    node.flowsPerSecond.toFixed(1),
    String(node.endpoints),
    lossText(node.losses),
    node.address,
    remark(node, nowMs),
  ]);
  return [...sums, '', ...table([['NODE', 'STATE', 'FLOWS/S', 'ENDPOINTS', 'LOST', 'ADDRESS', ''], ...rows])].join(
    '\n',
  );
}

function remark({ message, retryAt }: NodeStatus, nowMs: number): string {
  if (retryAt === undefined) return message;
  const seconds = Math.max(0, Math.ceil((timestampMs(retryAt) - nowMs) / 1000));
  return `${message} (next attempt in ${seconds} s)`;
}

function staleText({ name, reason, since }: StaleSource, nowMs: number): string {
  const age = since === undefined ? 'never read' : `as of ${Math.round((nowMs - timestampMs(since)) / 1000)} s ago`;
  return terminalText(`${name}, ${age}: ${reason}`);
}

function lossText(losses: readonly LossCount[]): string {
  const told = losses.filter(({ count }) => count > 0n);
  if (told.length === 0) return '0';
  return told.map(({ source, count }) => `${count} ${lossSourceName(source)}`).join(', ');
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map(terminalText)
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
}
