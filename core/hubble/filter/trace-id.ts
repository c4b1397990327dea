import { any, type RowPredicate } from '../../filter/algebra.ts';
import { layer7Number } from '../../flow/layer7.ts';
import { type FilterPart, type FlowTables, ofRecord, ofTold } from './filter-part.ts';

/** `trace_id`, `ip_trace_id`: of the latter no flow of ours carries one. An empty id, or an IP trace id of 0, stands for "none". */
export const traceIdFilter: FilterPart = ({ traceId, ipTraceId }, tables) => {
  const asked = [];
  if (traceId.length > 0) {
    asked.push(
      tables.told !== undefined
        ? ofTold(tables, ({ traceContext }) => traceId.includes(traceContext?.parent?.traceId ?? ''))
        : withTraceId(traceId, tables),
    );
  }
  if (ipTraceId.length > 0 && (tables.told !== undefined || !ipTraceId.includes(0n))) {
    asked.push(ofTold(tables, (flow) => ipTraceId.includes(flow.ipTraceId?.traceId ?? 0n)));
  }
  return asked;
};

function withTraceId(wanted: readonly string[], tables: FlowTables): RowPredicate {
  const told = ofRecord(tables, ({ traceId }) => wanted.includes(traceId));
  if (!wanted.includes('')) return told;
  return any([told, (columns, row) => layer7Number(columns, row) === 0]);
}
