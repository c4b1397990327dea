import { endpointField } from './filter-field.ts';
import { glob } from './glob.ts';
import { namePattern } from './name-pattern.ts';

/** As Hubble's, by name: the Service the client asked for, or one that had nobody to give it to. */
export const serviceField = endpointField<{ namespace: string; name: string }>({
  name: 'service',
  doc: 'flows through a Service, as its client asked for it: "name" or "namespace/name"',
  example: 'service=shop/web',
  parse(text) {
    const slash = text.indexOf('/');
    const namespace = namePattern(text.slice(0, Math.max(slash, 0)), 'a namespace', { empty: true });
    if ('problem' in namespace) return namespace;
    const name = namePattern(text.slice(slash + 1), 'a Service name');
    if ('problem' in name) return name;
    return { value: { namespace: namespace.value, name: name.value } };
  },
  print: ({ namespace, name }) => (namespace === '' ? name : `${namespace}/${name}`),
  list: ({ service }) => (service === undefined ? [] : [`${service.namespace}/${service.name}`]),
  matcher({ namespace, name }) {
    const inNamespace = namespace === '' ? () => true : glob(namespace);
    const named = glob(name);
    return ({ service, workloadKind, workloadName, namespace: own }) =>
      service === undefined
        ? workloadKind === 'Service' && inNamespace(own) && named(workloadName)
        : inNamespace(service.namespace) && named(service.name);
  },
});
