import { decode, encode, type RecordType } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ObjectStore } from '#runtime/cluster/object-store.ts';
import type { ClusterObject } from '#runtime/cluster/objects.ts';
import { readObject } from '#runtime/cluster/read-object.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { ClusterNames } from './cluster-names.ts';
import { addressOfPointer, answerMessage, answerQuestion, TTL } from './dns-answer.ts';

const meta = (name: string, extra: object = {}) => ({ name, namespace: 'shop', uid: name, ...extra });
const slice = (name: string, service: string, addressType: string, endpoints: object[], ports: object[]) =>
  readObject('EndpointSlice', {
    kind: 'EndpointSlice',
    metadata: meta(name, { labels: { 'kubernetes.io/service-name': service } }),
    addressType,
    endpoints,
    ports,
  });
const objects: ClusterObject[] = [
  readObject('Namespace', { kind: 'Namespace', metadata: { name: 'shop', uid: 'n' } }),
  readObject('Service', { kind: 'Service', metadata: meta('web'), spec: { clusterIPs: ['10.9.0.1'] } }),
  readObject('Service', { kind: 'Service', metadata: meta('db'), spec: { clusterIPs: ['None'] } }),
  readObject('Service', { kind: 'Service', metadata: meta('idle'), spec: { clusterIPs: ['10.9.0.2'] } }),
  slice(
    'web-4',
    'web',
    'IPv4',
    [
      { addresses: ['10.0.0.5'], conditions: { ready: true } },
      { addresses: ['10.0.0.6'], conditions: { ready: false } },
      { addresses: ['10.0.0.7'], conditions: { ready: true } },
    ],
    [{ name: 'http', port: 8080, protocol: 'TCP' }],
  ),
  slice(
    'web-6',
    'web',
    'IPv6',
    [{ addresses: ['fd57::5'], conditions: { ready: true } }],
    [{ name: 'http', port: 8080, protocol: 'TCP' }],
  ),
  slice(
    'db-4',
    'db',
    'IPv4',
    [{ addresses: ['10.0.1.9'], hostname: 'db-0', conditions: { ready: true } }],
    [{ name: 'sql', port: 3306, protocol: 'TCP' }],
  ),
  readObject('Pod', {
    kind: 'Pod',
    metadata: meta('p'),
    spec: { containers: [] },
    status: { podIPs: [{ ip: '10.0.0.5' }, { ip: 'fd57::5' }] },
  }),
];
const store = new ObjectStore();
for (const object of objects) store.set(object);
const names = new ClusterNames(store as unknown as ClusterSource);

function ask(name: string, type: RecordType = 'A') {
  const { code, answers, additionals } = answerQuestion({ name, type }, names);
  const data = answers.map((answer) => ('data' in answer ? answer.data : undefined));
  return { code, data: typeof data[0] === 'string' ? [...(data as string[])].sort() : data, additionals };
}

describe('cluster DNS of a cluster that balances Services', () => {
  const balanced = new ObjectStore();
  for (const object of objects) balanced.set(object);
  const service = (name: string, spec: object) =>
    balanced.set(readObject('Service', { kind: 'Service', metadata: meta(name), spec }));
  balanced.set(
    readObject('ServiceCIDR', {
      kind: 'ServiceCIDR',
      metadata: { name: 'kubernetes' },
      spec: { cidrs: ['10.9.0.0/16'] },
    }),
  );
  service('dual', { clusterIPs: ['10.9.0.3', 'fd09::3'], ports: [{ name: 'http', port: 80 }] });
  service('other', { type: 'ExternalName', externalName: 'dual.shop.svc.cluster.local' });
  service('outside', { type: 'ExternalName', externalName: 'example.org' });
  service('loop', { type: 'ExternalName', externalName: 'loop.shop.svc.cluster.local' });
  const clusterNames = new ClusterNames(balanced as unknown as ClusterSource);
  const data = (name: string, type: RecordType = 'A') =>
    answerQuestion({ name: `${name}.shop.svc.cluster.local`, type }, clusterNames).answers.map((answer) =>
      'data' in answer ? answer.data : undefined,
    );

  test('a Service name stands for its address, ready pods or not', () => {
    expect(data('web')).toEqual(['10.9.0.1']);
    expect(data('idle')).toEqual(['10.9.0.2']);
    expect(data('dual')).toEqual(['10.9.0.3']);
    expect(data('dual', 'AAAA')).toEqual(['fd09::3']);
  });

  test('one that is new is named when it is served, or after a while', () => {
    let nowMs = 0;
    const later = new ObjectStore();
    const known = new ClusterNames(later as unknown as ClusterSource, () => nowMs);
    const name = 'new.shop.svc.cluster.local';
    const asked = () => answerQuestion({ name, type: 'A' }, known);
    later.set(
      readObject('ServiceCIDR', { kind: 'ServiceCIDR', metadata: { name: 'k' }, spec: { cidrs: ['10.9.0.0/16'] } }),
    );
    later.set(readObject('Service', { kind: 'Service', metadata: meta('new'), spec: { clusterIPs: ['10.9.0.9'] } }));
    expect(asked()).toMatchObject({ code: 0, answers: [] });
    nowMs = 9_999;
    expect(asked().answers).toEqual([]);
    nowMs = 10_000;
    expect(asked().answers).toMatchObject([{ data: '10.9.0.9' }]);
    later.delete('Service', 'shop', 'new');
    later.set(readObject('Service', { kind: 'Service', metadata: meta('new'), spec: { clusterIPs: ['10.9.0.9'] } }));
    later.set(slice('new-4', 'new', 'IPv4', [{ addresses: ['10.0.0.8'] }], []));
    expect(asked().answers).toEqual([]);
    nowMs += 999;
    expect(asked().answers).toEqual([]);
    nowMs += 1;
    expect(asked().answers).toMatchObject([{ data: '10.9.0.9' }]);
  });

  test('a headless one still stands for its pods', () => {
    expect(data('db')).toEqual(['10.0.1.9']);
  });

  test('an ExternalName is an alias, followed where the cluster knows it', () => {
    expect(data('other')).toEqual(['dual.shop.svc.cluster.local', '10.9.0.3']);
    expect(data('outside')).toEqual(['example.org']);
    expect(data('loop')).toEqual(['loop.shop.svc.cluster.local']);
  });

  test('ports are those of the Service', () => {
    const record = { priority: 0, weight: 100, port: 80, target: 'dual.shop.svc.cluster.local' };
    expect(data('_http._tcp.dual', 'SRV')).toEqual([record]);
    expect(answerQuestion({ name: '_x._tcp.dual.shop.svc.cluster.local', type: 'SRV' }, clusterNames).code).toBe(3);
  });
});

describe('cluster DNS', () => {
  test('a Service name stands for its ready pods', () => {
    expect(ask('web.shop.svc.cluster.local')).toMatchObject({ code: 0, data: ['10.0.0.5', '10.0.0.7'] });
    expect(ask('WEB.shop.SVC.cluster.local', 'AAAA')).toMatchObject({ code: 0, data: ['fd57::5'] });
    expect(ask('idle.shop.svc.cluster.local')).toMatchObject({ code: 0, data: [] });
  });

  test('addresses come in any order and live shortly', () => {
    const firsts = new Set(
      Array.from({ length: 60 }, () => {
        const [first] = answerQuestion({ name: 'web.shop.svc.cluster.local', type: 'A' }, names).answers;
        expect(first).toMatchObject({ ttl: TTL });
        return (first as { data: string }).data;
      }),
    );
    expect(firsts.size).toBe(2);
    expect(TTL).toBeLessThanOrEqual(5);
  });

  test('pods of a headless Service have names of their own', () => {
    expect(ask('db-0.db.shop.svc.cluster.local')).toMatchObject({ code: 0, data: ['10.0.1.9'] });
    expect(ask('10-0-0-5.web.shop.svc.cluster.local')).toMatchObject({ code: 0, data: ['10.0.0.5'] });
    expect(ask('db-1.db.shop.svc.cluster.local').code).toBe(3);
  });

  test('SRV records name port and pod', () => {
    const { code, data, additionals } = ask('_sql._tcp.db.shop.svc.cluster.local', 'SRV');
    expect(code).toBe(0);
    expect(data).toEqual([{ priority: 0, weight: 100, port: 3306, target: 'db-0.db.shop.svc.cluster.local' }]);
    expect(additionals).toMatchObject([{ name: 'db-0.db.shop.svc.cluster.local', type: 'A', data: '10.0.1.9' }]);
    expect(ask('_sql._udp.db.shop.svc.cluster.local', 'SRV').code).toBe(3);
    expect(ask('web.shop.svc.cluster.local', 'SRV').data).toHaveLength(3);
  });

  test('addresses have names', () => {
    expect(ask('9.1.0.10.in-addr.arpa', 'PTR').data).toEqual(['db-0.db.shop.svc.cluster.local']);
    expect(ask('1.0.9.10.in-addr.arpa', 'PTR').data).toEqual(['web.shop.svc.cluster.local']);
    const v6 = `5${'.0'.repeat(27)}.7.5.d.f.ip6.arpa`;
    expect(addressOfPointer(v6)).toBe('fd57::5');
    expect(ask(v6, 'PTR').data).toEqual(['fd57--5.web.shop.svc.cluster.local']);
    expect(ask('9.9.9.9.in-addr.arpa', 'PTR').code).toBe(3);
  });

  test('pod names hold the address', () => {
    expect(ask('10-0-0-5.shop.pod.cluster.local').data).toEqual(['10.0.0.5']);
    expect(ask('fd57--5.shop.pod.cluster.local', 'AAAA').data).toEqual(['fd57::5']);
    expect(ask('10-0-0-6.shop.pod.cluster.local').code).toBe(3);
  });

  test.each([
    'nobody.shop.svc.cluster.local',
    'web.nowhere.svc.cluster.local',
    'example.com',
    'a.cluster.local',
    'local',
  ])('there is no %s', (name) => expect(ask(name).code).toBe(3));

  test('a name on the way to others exists', () => {
    expect(ask('cluster.local')).toMatchObject({ code: 0, data: [] });
    expect(ask('shop.svc.cluster.local')).toMatchObject({ code: 0, data: [] });
  });
});

describe('messages', () => {
  const query = (name: string, type: RecordType = 'A') =>
    encode({ type: 'query', id: 77, flags: 256, questions: [{ name, type }] });

  test('an answer carries the question, its id, and that it is authoritative', () => {
    const answer = decode(answerMessage(query('db.shop.svc.cluster.local'), names, 'udp')!);
    expect(answer).toMatchObject({ id: 77, type: 'response', rcode: 'NOERROR', flag_aa: true });
    expect(answer.answers).toMatchObject([{ data: '10.0.1.9', ttl: TTL }]);
    expect(decode(answerMessage(query('example.com'), names, 'udp')!)).toMatchObject({ rcode: 'NXDOMAIN' });
  });

  test('an answer too large for a datagram says so, over TCP it comes whole', () => {
    const large = new ObjectStore();
    large.set(readObject('Service', { kind: 'Service', metadata: meta('big'), spec: {} }));
    const endpoints = Array.from({ length: 200 }, (_, i) => ({
      addresses: [`10.1.0.${i}`],
      conditions: { ready: true },
    }));
    large.set(slice('big', 'big', 'IPv4', endpoints, []));
    const many = new ClusterNames(large as unknown as ClusterSource);
    const message = query('big.shop.svc.cluster.local');
    expect(decode(answerMessage(message, many, 'udp')!)).toMatchObject({ flag_tc: true, answers: [] });
    expect(decode(answerMessage(message, many, 'tcp')!).answers).toHaveLength(200);
  });

  test('whatever comes, it never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void answerMessage(Buffer.from(bytes), names, 'udp')),
    );
    const name = fc.string({ unit: fc.constantFrom(...'ab-_.0159'), minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(name, fc.constantFrom('svc', 'pod', 'x'), (left, section) => {
        answerQuestion({ name: `${left}.${section}.cluster.local`, type: 'SRV' }, names);
        answerQuestion({ name: `${left}.ip6.arpa`, type: 'PTR' }, names);
      }),
    );
  });
});
