import { parseCidr } from '../ip/cidr.ts';
import type { Path } from '../manifest/document.ts';
import { ENTITIES } from './entity.ts';
import type { PolicyCheck } from './finding.ts';
import type { PeerMatch, Rule, ServiceMatch } from './policy.ts';
import { readIcmps, readToPorts } from './read-cilium-ports.ts';
import { readPeerSelector, readServiceSelector } from './read-cilium-selector.ts';
import { checkFqdns } from './read-layer7.ts';
import { readCidr, readExceptions } from './read-network-policy.ts';
import type { RuleReference } from './reference.ts';

/** Fields that name peers, without their `from` or `to`. */
const PEER_FIELDS = ['Endpoints', 'CIDR', 'CIDRSet', 'Entities', 'Services', 'FQDNs', 'Nodes', 'Groups', 'Requires'];
const EGRESS_ONLY = ['Services', 'FQDNs'];
const REFUSED: Readonly<Record<string, string>> = {
  Nodes: 'selects single nodes, which is not enforced here; use the entities host and remote-node',
  Groups: "asks a cloud provider's API for addresses, which is not done here; use CIDRs",
  Requires: 'was taken out of Cilium and is not enforced here; add its labels to each selector',
};

/** One entry of ingress, ingressDeny, egress or egressDeny. */
export function readCiliumRule(check: PolicyCheck, path: Path, reference: RuleReference): Rule | undefined {
  const ingress = reference.list === 'ingress' || reference.list === 'ingressDeny';
  const deny = reference.list === 'ingressDeny' || reference.list === 'egressDeny';
  const prefix = ingress ? 'from' : 'to';
  const peerFields = ingress ? PEER_FIELDS.filter((field) => !EGRESS_ONLY.includes(field)) : PEER_FIELDS;
  const others = deny ? ['toPorts', 'icmps'] : ['toPorts', 'icmps', 'authentication'];
  if (!check.fields(path, [...peerFields.map((field) => prefix + field), ...others], true)) return undefined;
  checkAuthentication(check, [...path, 'authentication']);

  const peers = readPeers(check, path, prefix, peerFields, reference.policy.namespace, deny);
  const toPorts = [...path, 'toPorts'];
  const icmps = [...path, 'icmps'];
  const limited = (check.list(toPorts)?.length ?? 0) > 0;
  const byIcmp = (check.list(icmps)?.length ?? 0) > 0;
  if (limited && byIcmp) check.report('WP005', path, 'has toPorts and icmps');
  const ports = limited ? readToPorts(check, toPorts, ingress, deny) : byIcmp ? readIcmps(check, icmps) : undefined;

  const place = check.place(path);
  if (peers === undefined && ports === undefined) {
    // Without peers and without ports it is about nothing, unlike a NetworkPolicy's {}.
    if (deny) check.report('WP111', path);
    else check.report('WP112', path);
    return { reference, deny, peers: [], ports, place };
  }
  return { reference, deny, peers, ports, place };
}

/** Undefined where no field names peers: everybody. */
function readPeers(
  check: PolicyCheck,
  path: Path,
  prefix: string,
  fields: readonly string[],
  namespace: string,
  deny: boolean,
): PeerMatch[] | undefined {
  const present = fields.filter((field) => check.has([...path, prefix + field]));
  for (const field of present) {
    const refused = REFUSED[field];
    if (refused !== undefined) check.report('WP004', [...path, prefix + field], refused);
  }
  const lists = present.map((field) => ({ field, length: check.list([...path, prefix + field])?.length ?? 0 }));
  const filled = lists.filter(({ length }) => length > 0).map(({ field }) => prefix + field);
  if (filled.length > 1) check.report('WP005', path, `has ${filled.join(' and ')}`);
  // An empty list is there on purpose, and selects nobody: the rule then matches nothing.
  const empty = lists.find(({ length }) => length === 0);
  if (empty !== undefined) check.report('WP111', [...path, prefix + empty.field]);
  if (present.length === 0) return undefined;
  if (empty !== undefined) return [];

  const peers: PeerMatch[] = [];
  const each = (field: string, read: (at: Path) => PeerMatch | undefined) =>
    check.each([...path, prefix + field], (at) => {
      const match = read(at);
      if (match !== undefined) peers.push(match);
    });
  each('Endpoints', (at) => {
    if (!check.map(at, true)) return undefined;
    return { kind: 'labels', selector: readPeerSelector(check, at, namespace) };
  });
  each('Entities', (at) => {
    const name = check.text(at, true);
    if (name !== undefined && !Object.hasOwn(ENTITIES, name)) check.oneOf(at, Object.keys(ENTITIES));
    return name === undefined || !Object.hasOwn(ENTITIES, name) ? undefined : ENTITIES[name];
  });
  each('CIDR', (at) => {
    const cidr = readCidr(check, at, true);
    return cidr && { kind: 'cidr', cidr, except: [], cluster: false };
  });
  each('CIDRSet', (at) => readCidrSet(check, at));
  if (present.includes('Services')) each('Services', (at) => readService(check, at));
  if (present.includes('FQDNs')) checkFqdns(check, [...path, `${prefix}FQDNs`], deny);
  return peers;
}

function readCidrSet(check: PolicyCheck, path: Path): PeerMatch | undefined {
  if (!check.fields(path, ['cidr', 'except', 'cidrGroupRef', 'cidrGroupSelector'], true)) return undefined;
  for (const field of ['cidrGroupRef', 'cidrGroupSelector']) {
    if (!check.has([...path, field])) continue;
    check.report('WP004', [...path, field], 'refers to CiliumCIDRGroups, which are not read here; list the CIDRs');
    return undefined;
  }
  const cidr = readCidr(check, [...path, 'cidr']);
  if (cidr === undefined || parseCidr(cidr.text) === undefined) return undefined;
  return { kind: 'cidr', cidr, except: readExceptions(check, [...path, 'except'], cidr), cluster: false };
}

function readService(check: PolicyCheck, path: Path): ServiceMatch | undefined {
  if (!check.fields(path, ['k8sService', 'k8sServiceSelector'], true)) return undefined;
  const [named, selected] = [check.has([...path, 'k8sService']), check.has([...path, 'k8sServiceSelector'])];
  if (named === selected) {
    check.fail(path, 'must have either k8sService or k8sServiceSelector');
    return undefined;
  }
  if (named) {
    const at = [...path, 'k8sService'];
    check.fields(at, ['serviceName', 'namespace']);
    const name = check.text([...at, 'serviceName'], true);
    const namespace = check.text([...at, 'namespace']) || undefined;
    return name === undefined ? undefined : { kind: 'service', namespace, name, labels: undefined };
  }
  const at = [...path, 'k8sServiceSelector'];
  check.fields(at, ['selector', 'namespace']);
  check.map([...at, 'selector'], true);
  const labels = readServiceSelector(check, [...at, 'selector']);
  return { kind: 'service', namespace: check.text([...at, 'namespace']) || undefined, name: undefined, labels };
}

function checkAuthentication(check: PolicyCheck, path: Path): void {
  if (!check.has(path) || !check.fields(path, ['mode'])) return;
  const mode = check.text([...path, 'mode'], true);
  if (mode === 'disabled' || mode === undefined) return;
  // Allowing without the authentication that is asked for would be worse than to refuse.
  check.report('WP004', [...path, 'mode'], `"${mode}" asks for mutual authentication, which there is none of here`);
}
