import type { Flow, Layer7 } from '#proto/gen/flow/flow_pb.ts';
import { directions } from '../flow/direction.ts';
import { dropReasonText } from '../flow/drop-reason.ts';
import { OBSERVATION, observations } from '../flow/observation.ts';
import { EVENT_TYPE } from '../hubble/event-type.ts';

/** Where a flow was seen or why it was dropped, as its line says it. */
export function flowType(flow: Flow): string {
  if (flow.l7 !== undefined) return layer7Type(flow.l7);
  const { type = 0, subType = 0 } = flow.eventType ?? {};
  switch (type) {
    case EVENT_TYPE.TRACE:
      return observations
        .name(subType === 0 ? OBSERVATION.TO_ENDPOINT : subType)
        .toLowerCase()
        .replaceAll('_', '-');
    case EVENT_TYPE.DROP:
      return dropReasonText(subType);
    case EVENT_TYPE.POLICY_VERDICT:
      return `policy-verdict:${MATCH_TYPES[flow.policyMatchType] ?? 'unknown'} ${directions.name(flow.trafficDirection)}`;
    case EVENT_TYPE.TRACE_SOCK:
      return SOCKET_POINTS[subType] ?? 'SOCK_XLATE_POINT_UNKNOWN';
    default:
      return 'UNKNOWN';
  }
}

const MATCH_TYPES = ['none', 'L3-Only', 'L3-L4', 'L4-Only', 'all', 'L3-Proto', 'Proto-Only'];
const SOCKET_POINTS: Readonly<Record<number, string>> = {
  1: 'pre-xlate-fwd',
  2: 'post-xlate-fwd',
  3: 'pre-xlate-rev',
  4: 'post-xlate-rev',
};
const LAYER7_TYPES = ['unknown_l7_type', 'request', 'response', 'sample'];

function layer7Type({ type, record }: Layer7): string {
  const name = LAYER7_TYPES[type] ?? LAYER7_TYPES[0];
  if (record.case === 'http') return `http-${name}`;
  if (record.case === 'dns') return `dns-${name} ${record.value.observationSource}`;
  return `${record.case ?? 'l7'}-${name}`;
}
