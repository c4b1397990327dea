import type { FlowFilter } from '#proto/gen/flow/flow_pb.ts';
import { all, any, not, pass, type RowPredicate } from '../../filter/algebra.ts';
import { clusterNameFilter } from './cluster-name.ts';
import { dnsFilter } from './dns.ts';
import { dropReasonFilter } from './drop-reason.ts';
import { encryptedFilter } from './encrypted.ts';
import { eventTypeFilter } from './event-type.ts';
import { type FilterPart, FlowFilterError, type FlowTables } from './filter-part.ts';
import { fqdnFilter } from './fqdn.ts';
import { httpFilter } from './http.ts';
import { identityFilter } from './identity.ts';
import { interfaceFilter } from './interface.ts';
import { ipFilter } from './ip.ts';
import { ipVersionFilter } from './ip-version.ts';
import { labelFilter } from './label.ts';
import { nodeLabelsFilter } from './node-labels.ts';
import { nodeNameFilter } from './node-name.ts';
import { podFilter } from './pod.ts';
import { portFilter } from './port.ts';
import { protocolFilter } from './protocol.ts';
import { replyFilter } from './reply.ts';
import { serviceFilter } from './service.ts';
import { tcpFlagsFilter } from './tcp-flags.ts';
import { traceIdFilter } from './trace-id.ts';
import { trafficDirectionFilter } from './traffic-direction.ts';
import { uuidFilter } from './uuid.ts';
import { verdictFilter } from './verdict.ts';
import { workloadFilter } from './workload.ts';

/** In the order in which rows are asked: what is cheap first. */
const PARTS: readonly FilterPart[] = [
  verdictFilter,
  protocolFilter,
  portFilter,
  trafficDirectionFilter,
  replyFilter,
  tcpFlagsFilter,
  dropReasonFilter,
  eventTypeFilter,
  encryptedFilter,
  traceIdFilter,
  httpFilter,
  dnsFilter,
  nodeLabelsFilter,
  nodeNameFilter,
  identityFilter,
  ipFilter,
  ipVersionFilter,
  podFilter,
  serviceFilter,
  workloadFilter,
  clusterNameFilter,
  labelFilter,
  fqdnFilter,
  interfaceFilter,
  uuidFilter,
];

/** Loaded when first asked for: it is larger than all the rest together. Asked last, as it makes an object of the row. */
let celFilter: FilterPart | undefined;

/** To be awaited before filters from outside are compiled: loads what they need beyond the usual. */
export async function loadFilterParts({ whitelist, blacklist }: FlowFilters): Promise<void> {
  if (![...whitelist, ...blacklist].some(asksCel)) return;
  celFilter ??= (await import('./cel.ts')).celFilter;
}

function asksCel({ experimental }: FlowFilter): boolean {
  return (experimental?.celExpression.length ?? 0) > 0;
}

const MOST_FILTERS = 1_024;
const MOST_VALUES = 16_384;
/** Each may take 200 µs of a flow, and a flow is asked about in one go. */
const MOST_EXPRESSIONS = 32;

/** What a reader asks for; both lists are Hubble's. */
export interface FlowFilters {
  readonly whitelist: readonly FlowFilter[];
  readonly blacklist: readonly FlowFilter[];
}

/**
 * Hubble's filter algebra over rows whose numbers are these tables': a row passes when the whitelist is empty or one of its
 * filters matches, and none of the blacklist does. Within a filter all fields that are set must hold, and of a field's
 * values one; an empty filter matches every row. Throws FlowFilterError.
 */
export function compileFlowFilters({ whitelist, blacklist }: FlowFilters, tables: FlowTables): RowPredicate {
  if (whitelist.length + blacklist.length > MOST_FILTERS) {
    const count = whitelist.length + blacklist.length;
    throw new FlowFilterError('whitelist, blacklist', String(count), `are more than ${MOST_FILTERS} filters`);
  }
  const expressions = [...whitelist, ...blacklist].reduce(
    (sum, { experimental }) => sum + (experimental?.celExpression.length ?? 0),
    0,
  );
  if (expressions > MOST_EXPRESSIONS) {
    throw new FlowFilterError(
      'experimental.cel_expression',
      String(expressions),
      `are more than ${MOST_EXPRESSIONS} expressions`,
    );
  }
  const allowed = whitelist.length === 0 ? pass : any(whitelist.map((filter) => compileFlowFilter(filter, tables)));
  if (blacklist.length === 0) return allowed;
  const denied = not(any(blacklist.map((filter) => compileFlowFilter(filter, tables))));
  return whitelist.length === 0 ? denied : all([allowed, denied]);
}

function compileFlowFilter(filter: FlowFilter, tables: FlowTables): RowPredicate {
  for (const [name, values] of Object.entries(filter)) {
    if (Array.isArray(values) && values.length > MOST_VALUES) {
      throw new FlowFilterError(name, String(values.length), `are more than ${MOST_VALUES} values`);
    }
  }
  const predicates = PARTS.flatMap((part) => part(filter, tables));
  if (asksCel(filter)) {
    if (celFilter === undefined) throw new TypeError('loadFilterParts was not awaited before a filter with CEL');
    predicates.push(...celFilter(filter, tables));
  }
  return all(predicates);
}
