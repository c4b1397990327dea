/** What a table of flows can show, each by the name that stands in URLs and settings. */
export const FLOW_COLUMN_IDS = [
  'time',
  'count',
  'source',
  'source-pod',
  'source-workload',
  'source-identity',
  'source-ip',
  'source-port',
  'destination',
  'destination-pod',
  'destination-workload',
  'destination-identity',
  'destination-ip',
  'port',
  'protocol',
  'verdict',
  'reason',
  'policy',
  'info',
  'layer7',
  'flags',
  'direction',
  'node',
  'bytes',
  'packets',
  'rtt',
  'retransmits',
] as const;

export type FlowColumnId = (typeof FLOW_COLUMN_IDS)[number];

export interface FlowSort {
  readonly column: FlowColumnId;
  readonly descending: boolean;
}

export function isFlowColumnId(text: string): text is FlowColumnId {
  return (FLOW_COLUMN_IDS as readonly string[]).includes(text);
}
