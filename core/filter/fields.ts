import { directionField } from './direction-field.ts';
import { dnsField } from './dns-field.ts';
import type { FilterField } from './filter-field.ts';
import { httpMethodField, httpPathField, httpStatusField } from './http-fields.ts';
import { identityField } from './identity-field.ts';
import { ipField } from './ip-field.ts';
import { labelField } from './label-field.ts';
import { namespaceField } from './namespace-field.ts';
import { nodeField } from './node-field.ts';
import { podField } from './pod-field.ts';
import { policyField } from './policy-field.ts';
import { portField } from './port-field.ts';
import { protocolField } from './protocol-field.ts';
import { reasonField } from './reason-field.ts';
import { replyField } from './reply-field.ts';
import { serviceField } from './service-field.ts';
import { tcpFlagField } from './tcp-flag-field.ts';
import { verdictField } from './verdict-field.ts';
import { workloadField } from './workload-field.ts';

/** The one table of filter fields, in the order in which they are offered. To add a field, add a row here. */
export const FILTER_FIELDS: readonly FilterField[] = [
  namespaceField,
  podField,
  workloadField,
  serviceField,
  labelField,
  ipField,
  dnsField,
  identityField,
  portField,
  protocolField,
  verdictField,
  reasonField,
  policyField,
  nodeField,
  tcpFlagField,
  directionField,
  replyField,
  httpStatusField,
  httpMethodField,
  httpPathField,
];

const BY_NAME = new Map(FILTER_FIELDS.map((field) => [field.name, field]));

/** Longer names that people know from other tools. */
const ALIASES: Readonly<Record<string, string>> = {
  namespace: 'ns',
  labels: 'label',
  protocol: 'proto',
  fqdn: 'dns',
  'drop-reason': 'reason',
  'tcp-flags': 'tcp-flag',
  'http-status': 'http.status',
  'http-method': 'http.method',
  'http-path': 'http.path',
};

/** The field of that name, letter case alike; undefined where there is none. */
export function filterField(name: string): FilterField | undefined {
  const folded = name.toLowerCase();
  return BY_NAME.get(Object.hasOwn(ALIASES, folded) ? ALIASES[folded] : folded);
}
