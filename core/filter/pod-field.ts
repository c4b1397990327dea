import { endpointField } from './filter-field.ts';
import { glob } from './glob.ts';
import { namePattern } from './name-pattern.ts';

/** As Hubble's, but a bare name means any namespace. */
export const podField = endpointField<{ namespace: string; prefix: string }>({
  name: 'pod',
  doc: 'pods whose name begins so: "prefix" or "namespace/prefix"; "namespace/" for all of one',
  example: 'pod=shop/frontend',
  parse(text) {
    const slash = text.indexOf('/');
    const namespace = namePattern(text.slice(0, Math.max(slash, 0)), 'a namespace', { empty: true });
    if ('problem' in namespace) return namespace;
    const prefix = namePattern(text.slice(slash + 1), 'a pod name', { empty: namespace.value !== '' });
    if ('problem' in prefix) return prefix;
    return { value: { namespace: namespace.value, prefix: prefix.value } };
  },
  print: ({ namespace, prefix }) => (namespace === '' ? prefix : `${namespace}/${prefix}`),
  list: ({ namespace, pod }) => (pod === '' ? [] : [`${namespace}/${pod}`]),
  matcher({ namespace, prefix }) {
    const inNamespace = namespace === '' ? () => true : glob(namespace);
    const named = glob(prefix, true);
    return (endpoint) => endpoint.pod !== '' && inNamespace(endpoint.namespace) && named(endpoint.pod);
  },
});
