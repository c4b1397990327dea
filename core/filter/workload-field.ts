import { endpointField } from './filter-field.ts';
import { glob } from './glob.ts';
import { namePattern } from './name-pattern.ts';

const FORM = '"name", "Kind/name", "namespace/name" or "namespace/Kind/name"';

/** Kinds begin with a capital letter and namespaces never do, which tells `Deployment/web` from `shop/web`. */
export const workloadField = endpointField<{ namespace: string; kind: string; name: string }>({
  name: 'workload',
  doc: `a Deployment, DaemonSet, Job, ...: ${FORM}`,
  example: 'workload=shop/Deployment/web',
  parse(text) {
    const parts = text.split('/');
    if (parts.length > 3) return { problem: `"${text}" has too many parts: ${FORM}` };
    const name = namePattern(parts[parts.length - 1], 'a workload name');
    if ('problem' in name) return name;
    const value = { namespace: '', kind: '', name: name.value };
    for (const [index, part] of parts.slice(0, -1).entries()) {
      const isKind = index === 1 || (parts.length === 2 && /^[A-Z]/.test(part));
      const pattern = namePattern(part, isKind ? 'a kind' : 'a namespace');
      if ('problem' in pattern) return pattern;
      if (isKind && !/^[A-Z*]/.test(part)) return { problem: `kind "${part}" does not begin with a capital letter` };
      value[isKind ? 'kind' : 'namespace'] = pattern.value;
    }
    return { value };
  },
  print: ({ namespace, kind, name }) => [namespace, kind, name].filter((part) => part !== '').join('/'),
  list: ({ namespace, workloadName }) => (workloadName === '' ? [] : [`${namespace}/${workloadName}`]),
  matcher({ namespace, kind, name }) {
    const inNamespace = namespace === '' ? () => true : glob(namespace);
    const ofKind = kind === '' ? () => true : glob(kind);
    const named = glob(name);
    return (endpoint) =>
      endpoint.workloadName !== '' &&
      inNamespace(endpoint.namespace) &&
      ofKind(endpoint.workloadKind) &&
      named(endpoint.workloadName);
  },
});
