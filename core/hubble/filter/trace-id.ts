import { type FilterPart, nowhere } from './filter-part.ts';

/** `trace_id`, `ip_trace_id`: no flow of ours carries one. An IP trace id of 0 stands for "none". */
export const traceIdFilter: FilterPart = ({ traceId, ipTraceId }) => [
  ...(traceId.length === 0 ? [] : [nowhere]),
  ...(ipTraceId.length === 0 || ipTraceId.includes(0n) ? [] : [nowhere]),
];
