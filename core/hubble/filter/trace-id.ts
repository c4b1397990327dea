import { type FilterPart, ofRecord, ofTold } from './filter-part.ts';

/** `trace_id`, `ip_trace_id`: of the latter no flow of ours carries one. An IP trace id of 0 stands for "none". */
export const traceIdFilter: FilterPart = ({ traceId, ipTraceId }, tables) => {
  const asked = [];
  if (traceId.length > 0) {
    asked.push(
      tables.told !== undefined
        ? ofTold(tables, ({ traceContext }) => traceId.includes(traceContext?.parent?.traceId ?? ''))
        : ofRecord(tables, (record) => traceId.includes(record.traceId)),
    );
  }
  if (ipTraceId.length > 0 && (tables.told !== undefined || !ipTraceId.includes(0n))) {
    asked.push(ofTold(tables, (flow) => ipTraceId.includes(flow.ipTraceId?.traceId ?? 0n)));
  }
  return asked;
};
