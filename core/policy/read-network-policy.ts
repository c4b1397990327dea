import { PROTOCOL } from '../flow/protocol.ts';
import { type Cidr, cidrCovers, parseCidr } from '../ip/cidr.ts';
import type { Path } from '../manifest/document.ts';
import { isPortName } from '../manifest/names.ts';
import type { PolicyCheck } from './finding.ts';
import type { DirectionRules, PeerMatch, PortMatch, Rule } from './policy.ts';
import { plainKeys, readRequirements } from './read-selector.ts';
import type { PolicyReference } from './reference.ts';
import {
  IN_NAMESPACE,
  NAMESPACE_LABEL,
  POD_LABEL,
  type Requirement,
  requirement,
  type Selector,
  selector,
} from './selector.ts';

/** What a NetworkPolicy says, without whose it is. */
export interface SectionBody {
  readonly subject: Selector;
  readonly ingress: DirectionRules;
  readonly egress: DirectionRules;
}

/**
 * Reads the `spec` of a networking.k8s.io/v1 NetworkPolicy. Semantics: the API's own documentation
 * (https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/), each point in docs/policy.md.
 */
export function readNetworkPolicy(check: PolicyCheck, policy: PolicyReference): SectionBody | undefined {
  if (!check.fields(['spec'], ['podSelector', 'ingress', 'egress', 'policyTypes'], true)) return undefined;
  const types = readPolicyTypes(check);
  const podKeys = plainKeys(check, POD_LABEL);
  return {
    subject: selector([
      requirement(IN_NAMESPACE, 'In', [policy.namespace]),
      ...readRequirements(check, ['spec', 'podSelector'], podKeys),
    ]),
    ingress: readDirection(check, policy, 'ingress', types.includes('Ingress')),
    egress: readDirection(check, policy, 'egress', types.includes('Egress')),
  };
}

/** Absent or empty: always Ingress, and Egress where there is an egress rule. */
function readPolicyTypes(check: PolicyCheck): readonly string[] {
  const path: Path = ['spec', 'policyTypes'];
  const types = check.list(path) ?? [];
  check.each(path, (at) => {
    if (check.text(at, true) !== undefined) check.oneOf(at, ['Ingress', 'Egress']);
  });
  if (types.length > 2) check.fail(path, `has ${types.length} entries; at most 2 are possible`);
  if (types.length > 0) return types.filter((type) => typeof type === 'string');
  const egress = check.at(['spec', 'egress']);
  return Array.isArray(egress) && egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
}

function readDirection(
  check: PolicyCheck,
  policy: PolicyReference,
  list: 'ingress' | 'egress',
  affected: boolean,
): DirectionRules {
  const rules: Rule[] = [];
  const peersField = list === 'ingress' ? 'from' : 'to';
  check.each(['spec', list], (path) => {
    if (!check.fields(path, [peersField, 'ports'], true)) return;
    const peers = readPeers(check, [...path, peersField], policy.namespace);
    const ports = readPorts(check, [...path, 'ports']);
    if (
      list === 'egress' &&
      peers?.some(({ kind }) => kind === 'cidr') &&
      ports?.some(({ kind }) => kind === 'named')
    ) {
      check.report('WP115', [...path, 'ports']);
    }
    const reference = { policy, spec: undefined, list, index: path[2] as number };
    rules.push({ reference, deny: false, peers, ports, place: check.place(path) });
  });
  // A list that policyTypes leaves out has no effect at all, its rules included.
  return affected ? { defaultDeny: true, rules } : { defaultDeny: false, rules: [] };
}

/** Missing and empty lists both mean everybody. */
function readPeers(check: PolicyCheck, path: Path, namespace: string): PeerMatch[] | undefined {
  if ((check.list(path)?.length ?? 0) === 0) return undefined;
  const peers: PeerMatch[] = [];
  check.each(path, (at) => {
    if (!check.fields(at, ['podSelector', 'namespaceSelector', 'ipBlock'], true)) return;
    const [pods, namespaces, block] = ['podSelector', 'namespaceSelector', 'ipBlock'].map((field) =>
      check.has([...at, field]),
    );
    if (block) {
      if (pods || namespaces) check.report('WP005', at, 'has ipBlock beside a selector: they are peers of their own');
      const match = readIpBlock(check, [...at, 'ipBlock']);
      if (match !== undefined) peers.push(match);
    } else if (pods || namespaces) {
      peers.push({ kind: 'labels', selector: readPodPeer(check, at, namespaces ? undefined : namespace) });
    } else {
      check.fail(at, 'must have a podSelector, a namespaceSelector or an ipBlock');
    }
  });
  return peers;
}

/** Pods of the given namespace; undefined = of the namespaces that the peer's namespaceSelector selects. */
function readPodPeer(check: PolicyCheck, path: Path, namespace: string | undefined): Selector {
  const where: Requirement[] =
    namespace === undefined
      ? [
          // Only pods are in a namespace: without it an empty selector would mean nodes and the world too.
          requirement(IN_NAMESPACE, 'Exists'),
          ...readRequirements(check, [...path, 'namespaceSelector'], plainKeys(check, NAMESPACE_LABEL)),
        ]
      : [requirement(IN_NAMESPACE, 'In', [namespace])];
  return selector([...where, ...readRequirements(check, [...path, 'podSelector'], plainKeys(check, POD_LABEL))]);
}

function readIpBlock(check: PolicyCheck, path: Path): PeerMatch | undefined {
  if (!check.fields(path, ['cidr', 'except'], true)) return undefined;
  const cidr = readCidr(check, [...path, 'cidr']);
  const except = cidr === undefined ? [] : readExceptions(check, [...path, 'except'], cidr);
  for (const [index, { length }] of except.entries()) {
    if (length === cidr?.length) check.fail([...path, 'except', index], 'must be a part of cidr, and is all of it');
  }
  return cidr && { kind: 'cidr', cidr, except, cluster: true };
}

/**
 * @param bareAddress whether an address stands for its one-address range
 * @returns undefined where there is none that makes sense, which `check` is told
 */
export function readCidr(check: PolicyCheck, path: Path, bareAddress = false): Cidr | undefined {
  const text = check.text(path, true);
  if (text === undefined) return undefined;
  const cidr = bareAddress || text.includes('/') ? parseCidr(text) : undefined;
  if (cidr === undefined) check.fail(path, `"${text.slice(0, 60)}" is not a CIDR such as 10.0.0.0/8 or fd00::/64`);
  return cidr;
}

/** Ranges to leave out of `cidr`, each of which has to lie in it. */
export function readExceptions(check: PolicyCheck, path: Path, cidr: Cidr): Cidr[] {
  const exceptions: Cidr[] = [];
  check.each(path, (at) => {
    const except = readCidr(check, at);
    if (except === undefined) return;
    if (cidrCovers(cidr, except)) exceptions.push(except);
    else check.fail(at, `${except.text} does not lie in ${cidr.text}`);
  });
  return exceptions;
}

const PROTOCOLS = { TCP: PROTOCOL.TCP, UDP: PROTOCOL.UDP, SCTP: PROTOCOL.SCTP } as const;

/** Missing and empty lists both mean every port of every protocol. */
function readPorts(check: PolicyCheck, path: Path): PortMatch[] | undefined {
  if ((check.list(path)?.length ?? 0) === 0) return undefined;
  const ports: PortMatch[] = [];
  check.each(path, (at) => {
    if (!check.fields(at, ['protocol', 'port', 'endPort'], true)) return;
    check.oneOf([...at, 'protocol'], Object.keys(PROTOCOLS));
    const protocol = PROTOCOLS[(check.at([...at, 'protocol']) ?? 'TCP') as keyof typeof PROTOCOLS];
    const port = check.at([...at, 'port']);
    const ranged = check.has([...at, 'endPort']);
    if (port === undefined || port === null) {
      if (ranged) check.fail([...at, 'endPort'], 'needs a port to begin with');
      ports.push({ kind: 'range', protocol, first: 0, last: 65_535 });
    } else if (typeof port === 'string') {
      if (ranged) check.fail([...at, 'endPort'], 'needs a port number, not a name, to begin with');
      if (isPortName(port)) ports.push({ kind: 'named', protocol, name: port });
      else check.fail([...at, 'port'], `"${port.slice(0, 60)}" is not a port name${quotedNumber(port)}`);
    } else {
      const first = check.integer([...at, 'port'], 1, 65_535);
      const last = check.integer([...at, 'endPort'], first ?? 1, 65_535) ?? first;
      if (first !== undefined && last !== undefined) ports.push({ kind: 'range', protocol, first, last });
    }
  });
  return ports;
}

function quotedNumber(port: string): string {
  return /^\d+$/.test(port) ? '; write the number without quotes' : '';
}
