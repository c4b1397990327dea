import { isRelevantLabel } from '../identity/relevant-labels.ts';
import { RESERVED_IDENTITY } from '../identity/reserved.ts';
import type { Path } from '../manifest/document.ts';
import { isLabelKey } from '../manifest/names.ts';
import type { PolicyCheck } from './finding.ts';
import { readRequirements } from './read-selector.ts';
import {
  IN_CLUSTER,
  IN_NAMESPACE,
  IN_SERVICE_ACCOUNT,
  NAMESPACE_LABEL,
  POD_LABEL,
  RESERVED_LABEL,
  type Requirement,
  requirement,
  type Selector,
  selector,
} from './selector.ts';

// Labels that Cilium derives for every pod; a pod's own labels of these names do not count.
const DERIVED: ReadonlyMap<string, string> = new Map([
  ['io.kubernetes.pod.namespace', IN_NAMESPACE],
  ['io.cilium.k8s.policy.cluster', IN_CLUSTER],
  ['io.cilium.k8s.policy.serviceaccount', IN_SERVICE_ACCOUNT],
]);
const NAMESPACE_LABELS = 'io.cilium.k8s.namespace.labels.';

/**
 * A CNP's or CCNP's endpointSelector. A CNP's is always about pods of its own namespace, whatever else it says; a CCNP's about
 * pods of all.
 */
export function readSubject(check: PolicyCheck, path: Path, namespace: string): Selector {
  const requirements = readRequirements(check, path, endpointKeys(check));
  if (namespace === '') return selector([requirement(IN_NAMESPACE, 'Exists'), ...requirements]);
  const elsewhere = requirements.filter(
    ({ key, operator, values }) => key === IN_NAMESPACE && operator === 'In' && !values.includes(namespace),
  );
  if (elsewhere.length > 0) check.report('WP114', path);
  return selector([
    requirement(IN_NAMESPACE, 'In', [namespace]),
    ...requirements.filter((entry) => !elsewhere.includes(entry)),
  ]);
}

/**
 * One selector of fromEndpoints or toEndpoints. What does not say its namespace, by name or by label, means the policy's own
 * (a CCNP: any). One that names a reserved label is taken as it stands.
 */
export function readPeerSelector(check: PolicyCheck, path: Path, namespace: string): Selector {
  const requirements = readRequirements(check, path, endpointKeys(check));
  return selector(isScoped(requirements, namespace) ? requirements : [ownScope(namespace), ...requirements]);
}

function isScoped(requirements: readonly Requirement[], namespace: string): boolean {
  return requirements.some(
    ({ key }) =>
      key === IN_NAMESPACE ||
      key.startsWith(RESERVED_LABEL) ||
      // A clusterwide policy has no namespace to fall back to, so it keeps to pods whatever labels it looks at.
      (namespace !== '' && key.startsWith(NAMESPACE_LABEL)),
  );
}

function ownScope(namespace: string): Requirement {
  return namespace === '' ? requirement(IN_NAMESPACE, 'Exists') : requirement(IN_NAMESPACE, 'In', [namespace]);
}

/** Labels of a Service, where a source prefix has no meaning. */
export function readServiceSelector(check: PolicyCheck, path: Path): Selector {
  return selector(
    readRequirements(check, path, (key, at) => {
      const plain = key.replace(/^(?:k8s|any):/, '');
      if (isLabelKey(plain)) return plain;
      check.fail(at, 'is not a label key');
      return undefined;
    }),
  );
}

/** Reads `app`, `k8s:app`, `any:app`, `reserved:host`, and the keys that Cilium derives. */
function endpointKeys(check: PolicyCheck): (key: string, path: Path) => string | undefined {
  return (written, path) => {
    const colon = written.indexOf(':');
    const source = colon < 0 ? 'any' : written.slice(0, colon);
    const key = written.slice(colon + 1);
    if (source === 'reserved') return reservedKey(check, key, path);
    if (!isLabelKey(key)) {
      check.fail(path, 'is not a label key');
      return undefined;
    }
    if (source !== 'any' && source !== 'k8s') {
      check.report('WP117', path);
      return `other:${written}`;
    }
    const derived = DERIVED.get(key);
    if (derived !== undefined) return derived;
    if (key.startsWith(NAMESPACE_LABELS)) return `${NAMESPACE_LABEL}${key.slice(NAMESPACE_LABELS.length)}`;
    if (!isRelevantLabel(key)) check.report('WP118', path);
    return `${POD_LABEL}${key}`;
  };
}

function reservedKey(check: PolicyCheck, key: string, path: Path): string | undefined {
  if (Object.hasOwn(RESERVED_IDENTITY, key) || key === 'none') return `${RESERVED_LABEL}${key}`;
  check.fail(path, `names no reserved label; there are ${Object.keys(RESERVED_IDENTITY).join(', ')}`);
  return undefined;
}
