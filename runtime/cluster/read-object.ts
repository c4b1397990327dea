import type { ClusterObject, Kind, Metadata } from './objects.ts';

/** The object is not what its kind promises; the message names the field, e.g. `spec.containers[0].ports: expected a list`. */
export class ObjectError extends Error {
  override readonly name = 'ObjectError';
}

/** A value of a parsed document and where it stands, so that every complaint names its field. */
class Field {
  readonly value: unknown;
  readonly path: string;

  constructor(value: unknown, path: string) {
    this.value = value ?? undefined;
    this.path = path;
  }

  get(key: string): Field {
    const { value } = this;
    if (value === undefined) return new Field(undefined, this.#below(key));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#unexpected('an object');
    return new Field(Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined, this.#below(key));
  }

  text(fallback = ''): string {
    if (this.value === undefined) return fallback;
    if (typeof this.value !== 'string') throw this.#unexpected('text');
    return this.value;
  }

  optionalText(): string | undefined {
    return this.value === undefined ? undefined : this.text();
  }

  whole(fallback = 0): number {
    if (this.value === undefined) return fallback;
    if (!Number.isInteger(this.value)) throw this.#unexpected('a whole number');
    return this.value as number;
  }

  port(): number {
    const port = this.whole();
    if (port < 0 || port > 65_535) throw this.#unexpected('a port number');
    return port;
  }

  flag(fallback = false): boolean {
    if (this.value === undefined) return fallback;
    if (typeof this.value !== 'boolean') throw this.#unexpected('true or false');
    return this.value;
  }

  list<T>(read: (item: Field) => T): T[] {
    if (this.value === undefined) return [];
    if (!Array.isArray(this.value)) throw this.#unexpected('a list');
    return this.value.map((item, index) => read(new Field(item, `${this.path}[${index}]`)));
  }

  texts(): Record<string, string> {
    if (this.value === undefined) return {};
    if (typeof this.value !== 'object' || Array.isArray(this.value)) throw this.#unexpected('an object');
    return Object.fromEntries(Object.keys(this.value as object).map((key) => [key, this.get(key).text()]));
  }

  #below(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }

  #unexpected(expected: string): ObjectError {
    return new ObjectError(`${this.path || 'document'}: expected ${expected}`);
  }
}

/** Checks a parsed document against its kind and fills in what the API leaves out. Throws {@link ObjectError}. */
export function readObject(kind: Kind, document: unknown): ClusterObject {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new ObjectError('expected one object');
  }
  const root = new Field(document, '');
  const said = root.get('kind').text();
  if (said !== kind) throw new ObjectError(`kind: expected ${kind}, found "${said}"`);
  const metadata = readMetadata(root.get('metadata'));
  const spec = root.get('spec');
  const status = root.get('status');
  switch (kind) {
    case 'NetworkPolicy':
    case 'CiliumNetworkPolicy':
    case 'CiliumClusterwideNetworkPolicy':
      return { kind, metadata, manifest: document } as ClusterObject;
    case 'Namespace':
    case 'ReplicaSet':
    case 'Job':
      return { kind, metadata };
    case 'Node':
      return {
        kind,
        metadata,
        spec: { podCIDRs: spec.get('podCIDRs').list((cidr) => cidr.text()) },
        status: {
          addresses: status
            .get('addresses')
            .list((entry) => ({ type: entry.get('type').text(), address: entry.get('address').text() })),
        },
      };
    case 'Pod':
      return {
        kind,
        metadata,
        spec: {
          nodeName: spec.get('nodeName').text(),
          hostNetwork: spec.get('hostNetwork').flag(),
          serviceAccountName: spec.get('serviceAccountName').text('default'),
          containers: spec.get('containers').list((container) => ({
            name: container.get('name').text(),
            ports: container.get('ports').list((port) => ({
              name: port.get('name').text(),
              containerPort: port.get('containerPort').port(),
              protocol: port.get('protocol').text('TCP'),
            })),
          })),
        },
        status: {
          phase: status.get('phase').text('Pending'),
          podIPs: status.get('podIPs').list((entry) => ({ ip: entry.get('ip').text() })),
          containerStatuses: status.get('containerStatuses').list((entry) => ({
            name: entry.get('name').text(),
            containerID: entry.get('containerID').text(),
            ready: entry.get('ready').flag(),
            restartCount: entry.get('restartCount').whole(),
          })),
        },
      };
    case 'Service':
      return {
        kind,
        metadata,
        spec: {
          type: spec.get('type').text('ClusterIP'),
          clusterIPs: readClusterIPs(spec),
          selector: spec.get('selector').texts(),
          ports: spec.get('ports').list((entry) => {
            const port = entry.get('port').port();
            const target = entry.get('targetPort');
            return {
              name: entry.get('name').text(),
              protocol: entry.get('protocol').text('TCP'),
              port,
              targetPort: typeof target.value === 'string' ? target.value : target.port() || port,
              nodePort: entry.get('nodePort').port(),
            };
          }),
          externalIPs: spec.get('externalIPs').list((address) => address.text()),
          sessionAffinity: spec.get('sessionAffinity').text('None'),
          affinitySeconds: affinitySeconds(spec),
          internalTrafficPolicy: spec.get('internalTrafficPolicy').text('Cluster'),
          externalTrafficPolicy: spec.get('externalTrafficPolicy').text('Cluster'),
          publishNotReadyAddresses: spec.get('publishNotReadyAddresses').flag(),
          loadBalancerSourceRanges: spec.get('loadBalancerSourceRanges').list((range) => range.text()),
          healthCheckNodePort: spec.get('healthCheckNodePort').port(),
          externalName: spec.get('externalName').text(),
        },
        loadBalancerIPs: status
          .get('loadBalancer')
          .get('ingress')
          .list((entry) => entry.get('ip').text())
          .filter((address) => address !== ''),
      };
    case 'ServiceCIDR':
      return { kind, metadata, spec: { cidrs: spec.get('cidrs').list((cidr) => cidr.text()) } };
    case 'EndpointSlice':
      return {
        kind,
        metadata,
        addressType: root.get('addressType').text('IPv4'),
        ports: root.get('ports').list((entry) => ({
          name: entry.get('name').text(),
          protocol: entry.get('protocol').text('TCP'),
          port: entry.get('port').port(),
        })),
        endpoints: root.get('endpoints').list((endpoint) => {
          const target = endpoint.get('targetRef');
          const conditions = endpoint.get('conditions');
          // The API: an endpoint that does not say is to be taken for ready, and one that is ready serves.
          const ready = conditions.get('ready').flag(true);
          return {
            addresses: endpoint.get('addresses').list((address) => address.text()),
            ready,
            serving: conditions.get('serving').flag(ready),
            terminating: conditions.get('terminating').flag(),
            zones: endpoint
              .get('hints')
              .get('forZones')
              .list((zone) => zone.get('name').text()),
            hostname: endpoint.get('hostname').text(),
            nodeName: endpoint.get('nodeName').text(),
            pod: target.get('kind').text() === 'Pod' ? target.get('name').text() : '',
          };
        }),
      };
  }
}

function readMetadata(field: Field): Metadata {
  const name = field.get('name').text();
  if (name === '') throw new ObjectError('metadata.name: missing');
  const deletionTimestamp = field.get('deletionTimestamp').optionalText();
  return {
    name,
    namespace: field.get('namespace').text(),
    uid: field.get('uid').text(),
    labels: field.get('labels').texts(),
    annotations: field.get('annotations').texts(),
    ownerReferences: field.get('ownerReferences').list((owner) => ({
      kind: owner.get('kind').text(),
      name: owner.get('name').text(),
      controller: owner.get('controller').flag(),
    })),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  };
}

/** Kubernetes' default: three hours. */
const AFFINITY_SECONDS = 10_800;
const MOST_AFFINITY_SECONDS = 86_400;

function affinitySeconds(spec: Field): number {
  const seconds = spec.get('sessionAffinityConfig').get('clientIP').get('timeoutSeconds').whole(AFFINITY_SECONDS);
  return Math.min(MOST_AFFINITY_SECONDS, Math.max(1, seconds));
}

function readClusterIPs(spec: Field): string[] {
  const many = spec.get('clusterIPs').list((address) => address.text());
  if (many.length > 0) return many;
  const one = spec.get('clusterIP').text();
  return one === '' ? [] : [one];
}
