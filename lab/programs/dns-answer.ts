import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Question,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import ipaddr from 'ipaddr.js';
import { type ClusterNames, dashed, type NamedEndpoint, type NamedService } from './cluster-names.ts';

/** Seconds. Short, as pods come and go. */
export const TTL = 5;
export const CLUSTER_DOMAIN = 'cluster.local';

const NOERROR = 0;
const NXDOMAIN = 3;
const NOTIMP = 4;
/** Largest answer over UDP, in bytes, to a client that does not offer more. */
const PLAIN_UDP_BYTES = 512;
const LARGEST_UDP_BYTES = 1232;

export interface NameAnswer {
  code: typeof NOERROR | typeof NXDOMAIN;
  answers: Answer[];
  additionals: Answer[];
}

/** The response to a DNS message, or undefined for what is no question. */
export function answerMessage(message: Buffer, names: ClusterNames, over: 'udp' | 'tcp'): Buffer | undefined {
  let query: ReturnType<typeof decode>;
  try {
    query = decode(message);
  } catch {
    return undefined;
  }
  const [question] = query.questions ?? [];
  if (query.type !== 'query' || !question) return undefined;
  const flags = AUTHORITATIVE_ANSWER | ((query.flags ?? 0) & RECURSION_DESIRED);
  const head = { id: query.id, type: 'response' as const, questions: [question] };
  // Bits 11 to 14 of the flags: 0 is an ordinary query.
  const opcode = ((query.flags ?? 0) >> 11) & 15;
  if (opcode !== 0 || (query.questions?.length ?? 0) > 1) return encode({ ...head, flags: flags | NOTIMP });
  const { code, answers, additionals } = answerQuestion(question, names);
  const response = encode({ ...head, flags: flags | code, answers, additionals });
  const offered = query.additionals?.find((record) => record.type === 'OPT')?.udpPayloadSize ?? PLAIN_UDP_BYTES;
  const limit = over === 'tcp' ? 65_535 : Math.min(LARGEST_UDP_BYTES, Math.max(PLAIN_UDP_BYTES, offered));
  if (response.length <= limit) return response;
  return encode({ ...head, flags: flags | code | TRUNCATED_RESPONSE });
}

/** Answers one question by the rules of Kubernetes' DNS specification. */
export function answerQuestion({ name, type }: Question, names: ClusterNames): NameAnswer {
  const asked = name.toLowerCase();
  if (asked.endsWith('.in-addr.arpa') || asked.endsWith('.ip6.arpa')) return pointer(name, asked, type, names);
  if (asked === CLUSTER_DOMAIN) return existing();
  if (!asked.endsWith(`.${CLUSTER_DOMAIN}`)) return missing();
  const labels = asked.slice(0, -CLUSTER_DOMAIN.length - 1).split('.');
  const section = labels.pop();
  const namespace = labels.pop();
  if (section !== 'svc' && section !== 'pod') return missing();
  if (namespace === undefined) return existing();
  if (section === 'pod') return podName(name, labels, namespace, type, names);
  if (labels.length === 0) return names.hasNamespace(namespace) ? existing() : missing();
  const service = names.service(namespace, labels.pop()!);
  if (!service) return missing();
  if (labels.length === 0) {
    if (service.externalName !== '') return alias(name, service.externalName, type, names);
    if (type === 'SRV') return services(name, service);
    if (service.addresses.length > 0) {
      if (names.isTooNew(service)) return existing();
      return existing(
        addresses(
          name,
          type,
          service.addresses.map((address) => ({ address })),
        ),
      );
    }
    return existing(addresses(name, type, rotated(service.endpoints.filter((endpoint) => endpoint.ready))));
  }
  if (labels.length === 1) {
    const found = service.endpoints.filter((endpoint) => endpoint.host === labels[0]);
    return found.length > 0 ? existing(addresses(name, type, found)) : missing();
  }
  const [port = '', protocol = ''] = labels;
  if (labels.length > 2 || !port.startsWith('_') || !protocol.startsWith('_')) return missing();
  return type === 'SRV' ? services(name, service, { port: port.slice(1), protocol: protocol.slice(1) }) : existing();
}

function existing(answers: Answer[] = [], additionals: Answer[] = []): NameAnswer {
  return { code: NOERROR, answers, additionals };
}

function missing(): NameAnswer {
  return { code: NXDOMAIN, answers: [], additionals: [] };
}

function addresses(name: string, type: string, endpoints: { address: string }[]): Answer[] {
  if (type !== 'A' && type !== 'AAAA') return [];
  return endpoints
    .filter(({ address }) => address.includes(':') === (type === 'AAAA'))
    .map(({ address }) => ({ name, type, ttl: TTL, data: address }));
}

/** Begins at a random one, as clients mostly take the first. */
function rotated<T>(list: T[]): T[] {
  const start = Math.floor(Math.random() * list.length);
  return [...list.slice(start), ...list.slice(0, start)];
}

/** Another name, and what that stands for when it is one of the cluster's. One step: an alias of an alias is left to who asks. */
function alias(name: string, target: string, type: string, names: ClusterNames): NameAnswer {
  const record: Answer = { name, type: 'CNAME', ttl: TTL, data: target };
  const [service = '', namespace = ''] = target.toLowerCase().split('.');
  const further = names.service(namespace, service)?.externalName ?? '';
  if (!target.endsWith(`.${CLUSTER_DOMAIN}`) || further !== '') return existing([record]);
  const { answers, additionals } = answerQuestion({ name: target, type: type as Question['type'] }, names);
  return existing([record, ...answers], additionals);
}

/** SRV records: of one named port, or of every port when none is named. */
function services(name: string, service: NamedService, wanted?: { port: string; protocol: string }): NameAnswer {
  const answers: Answer[] = [];
  const additionals: Answer[] = [];
  if (service.addresses.length > 0) return servicesOfAddress(name, service, wanted);
  for (const endpoint of service.endpoints) {
    if (!endpoint.ready) continue;
    const ports = endpoint.ports.filter(
      (port) => !wanted || (port.name === wanted.port && port.protocol.toLowerCase() === wanted.protocol),
    );
    const target = endpointName(service, endpoint);
    for (const { port } of ports) {
      answers.push({ name, type: 'SRV', ttl: TTL, data: { priority: 0, weight: 100, port, target } });
    }
    const type = endpoint.address.includes(':') ? 'AAAA' : 'A';
    if (ports.length > 0) additionals.push({ name: target, type, ttl: TTL, data: endpoint.address });
  }
  return answers.length > 0 || !wanted ? existing(answers, additionals) : missing();
}

/** The same of a Service that has an address: its own ports there. */
function servicesOfAddress(
  name: string,
  service: NamedService,
  wanted?: { port: string; protocol: string },
): NameAnswer {
  const target = `${service.name}.${service.namespace}.svc.${CLUSTER_DOMAIN}`;
  const ports = service.ports.filter(
    (port) => !wanted || (port.name === wanted.port && port.protocol.toLowerCase() === wanted.protocol),
  );
  if (ports.length === 0) return wanted ? missing() : existing();
  const answers = ports.map(
    ({ port }): Answer => ({ name, type: 'SRV', ttl: TTL, data: { priority: 0, weight: 100, port, target } }),
  );
  const additionals = service.addresses.map(
    (address): Answer => ({ name: target, type: address.includes(':') ? 'AAAA' : 'A', ttl: TTL, data: address }),
  );
  return existing(answers, additionals);
}

function endpointName(service: NamedService, endpoint: NamedEndpoint): string {
  return `${endpoint.host}.${service.name}.${service.namespace}.svc.${CLUSTER_DOMAIN}`;
}

/** `10-0-0-7.namespace.pod.cluster.local`: the address is in the name; a pod of the namespace must have it. */
function podName(name: string, labels: string[], namespace: string, type: string, names: ClusterNames): NameAnswer {
  if (labels.length === 0) return names.hasNamespace(namespace) ? existing() : missing();
  const [label = ''] = labels;
  const v4 = label.replaceAll('-', '.');
  const address = ipaddr.IPv4.isValidFourPartDecimal(v4) ? v4 : label.replaceAll('-', ':');
  if (labels.length > 1 || !ipaddr.isValid(address) || dashed(address) !== label) return missing();
  return names.hasPodAddress(namespace, address) ? existing(addresses(name, type, [{ address }])) : missing();
}

function pointer(name: string, asked: string, type: string, names: ClusterNames): NameAnswer {
  const address = addressOfPointer(asked);
  const found = address === undefined ? undefined : names.nameOf(address);
  if (found === undefined) return missing();
  if (type !== 'PTR') return existing();
  return existing([{ name, type: 'PTR', ttl: TTL, data: `${found}.svc.${CLUSTER_DOMAIN}` }]);
}

/** The address a name below in-addr.arpa or ip6.arpa stands for. */
export function addressOfPointer(name: string): string | undefined {
  const labels = name.split('.').slice(0, -2).reverse();
  if (name.endsWith('.in-addr.arpa')) {
    const address = labels.join('.');
    return ipaddr.IPv4.isValidFourPartDecimal(address) ? address : undefined;
  }
  if (labels.length !== 32 || !labels.every((label) => /^[0-9a-f]$/.test(label))) return undefined;
  return ipaddr.IPv6.parse(labels.join('').match(/.{4}/g)!.join(':')).toString();
}
