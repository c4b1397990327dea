import { describe, expect, it } from 'vitest';
import { resolveService, type ServiceView } from './resolve-service.ts';
import type { ServiceObject, SliceObject } from './service.ts';

const view: ServiceView = { node: 'n1', zone: '', nodeAddresses: ['192.0.2.1'] };

function service(spec: Partial<ServiceObject['spec']> = {}, more: Partial<ServiceObject> = {}): ServiceObject {
  return {
    metadata: { name: 'web', namespace: 'shop', annotations: {} },
    spec: {
      type: 'ClusterIP',
      clusterIPs: ['10.96.0.1'],
      ports: [{ name: '', protocol: 'TCP', port: 80, nodePort: 0 }],
      externalIPs: [],
      sessionAffinity: 'None',
      affinitySeconds: 10_800,
      internalTrafficPolicy: 'Cluster',
      externalTrafficPolicy: 'Cluster',
      publishNotReadyAddresses: false,
      ...spec,
    },
    loadBalancerIPs: [],
    ...more,
  };
}

type Endpoint = SliceObject['endpoints'][number];
const endpoint = (address: string, more: Partial<Endpoint> = {}): Endpoint => ({
  addresses: [address],
  ready: true,
  serving: true,
  terminating: false,
  nodeName: 'n1',
  pod: '',
  zones: [],
  ...more,
});

function slice(endpoints: Endpoint[], more: Partial<SliceObject> = {}): SliceObject {
  return { addressType: 'IPv4', ports: [{ name: '', protocol: 'TCP', port: 8080 }], endpoints, ...more };
}

const addresses = (frontends: ReturnType<typeof resolveService>): string[][] =>
  frontends.map(({ backends }) =>
    backends.map(({ address, port, terminating }) => `${address}:${port}${terminating ? ' leaving' : ''}`),
  );

describe('a Service', () => {
  it('has a frontend for each address and port, with the backends of its family and port', () => {
    const frontends = resolveService(
      service({
        clusterIPs: ['10.96.0.1', 'FD00:0::1'],
        ports: [
          { name: 'http', protocol: 'TCP', port: 80, nodePort: 0 },
          { name: 'dns', protocol: 'UDP', port: 53, nodePort: 0 },
        ],
      }),
      [
        slice([endpoint('10.0.0.2'), endpoint('10.0.0.1')], {
          ports: [
            { name: 'dns', protocol: 'UDP', port: 5353 },
            { name: 'http', protocol: 'TCP', port: 8080 },
          ],
        }),
        slice([endpoint('fd01::1')], { addressType: 'IPv6', ports: [{ name: 'http', protocol: 'TCP', port: 8081 }] }),
      ],
      view,
    );
    expect(frontends.map(({ address, port, protocol }) => `${address} ${port} ${protocol}`)).toEqual([
      '10.96.0.1 80 6',
      'fd00::1 80 6',
      '10.96.0.1 53 17',
      'fd00::1 53 17',
    ]);
    expect(addresses(frontends)).toEqual([
      ['10.0.0.1:8080', '10.0.0.2:8080'],
      ['fd01::1:8081'],
      ['10.0.0.1:5353', '10.0.0.2:5353'],
      [],
    ]);
  });

  it('whose pods serve a named port under different numbers has them all', () => {
    const slices = [
      slice([endpoint('10.0.0.1')]),
      slice([endpoint('10.0.0.2')], { ports: [{ name: '', protocol: 'TCP', port: 9090 }] }),
    ];
    expect(addresses(resolveService(service(), slices, view))).toEqual([['10.0.0.1:8080', '10.0.0.2:9090']]);
    expect(resolveService(service(), [...slices].reverse(), view)).toEqual(resolveService(service(), slices, view));
  });

  it.each([
    ['headless', { clusterIPs: ['None'] }],
    ['of type ExternalName', { type: 'ExternalName' }],
    ['with a protocol that is not balanced', { ports: [{ name: '', protocol: 'SCTP', port: 80, nodePort: 0 }] }],
    ['with an address that is none', { clusterIPs: ['10.96.0', '', '999.1.1.1'] }],
  ])('%s has no frontend', (_, spec) => {
    expect(resolveService(service(spec), [slice([endpoint('10.0.0.1')])], view)).toEqual([]);
  });

  it('sends nobody to what is not ready, unless it publishes that', () => {
    const slices = [slice([endpoint('10.0.0.1'), endpoint('10.0.0.2', { ready: false, serving: false })])];
    expect(addresses(resolveService(service(), slices, view))).toEqual([['10.0.0.1:8080']]);
    expect(addresses(resolveService(service({ publishNotReadyAddresses: true }), slices, view))).toEqual([
      ['10.0.0.1:8080', '10.0.0.2:8080'],
    ]);
  });

  it('keeps those who are with a terminating backend, and sends new ones there only when nobody else is', () => {
    const leaving = endpoint('10.0.0.1', { ready: false, terminating: true });
    expect(addresses(resolveService(service(), [slice([leaving, endpoint('10.0.0.2')])], view))).toEqual([
      ['10.0.0.2:8080', '10.0.0.1:8080 leaving'],
    ]);
    expect(addresses(resolveService(service(), [slice([leaving])], view))).toEqual([['10.0.0.1:8080']]);
    const dead = { ...leaving, serving: false };
    expect(addresses(resolveService(service(), [slice([dead])], view))).toEqual([[]]);
  });

  it('of internalTrafficPolicy Local stays on its node, and refuses where there is none', () => {
    const slices = [slice([endpoint('10.0.0.1'), endpoint('10.0.1.1', { nodeName: 'n2' })])];
    const local = service({ internalTrafficPolicy: 'Local' });
    expect(addresses(resolveService(local, slices, view))).toEqual([['10.0.0.1:8080']]);
    expect(addresses(resolveService(local, slices, { ...view, node: 'n3' }))).toEqual([[]]);
  });

  it('keeps to the zone its hints name, when all have hints and one is near', () => {
    const near = endpoint('10.0.0.1', { zones: ['a'] });
    const far = endpoint('10.0.1.1', { zones: ['b'] });
    const from = (zone: string, ...endpoints: Endpoint[]) =>
      addresses(resolveService(service(), [slice(endpoints)], { ...view, zone }))[0];
    expect(from('a', near, far)).toEqual(['10.0.0.1:8080']);
    expect(from('c', near, far)).toHaveLength(2);
    expect(from('', near, far)).toHaveLength(2);
    expect(from('a', near, far, endpoint('10.0.2.1'))).toHaveLength(3);
  });

  it('is reached from outside under node ports, external and load-balancer addresses, by their own policy', () => {
    const ports = [{ name: '', protocol: 'TCP', port: 80, nodePort: 30_080 }];
    const spec = { type: 'LoadBalancer', ports, externalIPs: ['198.51.100.1'], externalTrafficPolicy: 'Local' };
    const slices = [slice([endpoint('10.0.0.1'), endpoint('10.0.1.1', { nodeName: 'n2' })])];
    const frontends = resolveService(service(spec, { loadBalancerIPs: ['203.0.113.1'] }), slices, view);
    expect(frontends.map(({ kind, address, port, backends }) => [kind, `${address}:${port}`, backends.length])).toEqual(
      [
        ['cluster-ip', '10.96.0.1:80', 2],
        ['node-port', '192.0.2.1:30080', 2],
        ['external-ip', '198.51.100.1:80', 2],
        ['load-balancer', '203.0.113.1:80', 2],
      ],
    );
    expect(frontends.map(({ external }) => external?.backends.map(({ address }) => address))).toEqual([
      undefined,
      ['10.0.0.1'],
      ['10.0.0.1'],
      ['10.0.0.1'],
    ]);
  });

  it('is found at its own node’s port by clients outside, and only there', () => {
    const ports = [{ name: '', protocol: 'TCP', port: 80, nodePort: 30_080 }];
    const frontends = resolveService(
      service({ type: 'NodePort', ports, externalIPs: ['198.51.100.1'] }),
      [slice([endpoint('10.0.0.1'), endpoint('10.0.1.1', { nodeName: 'n2' })])],
      { ...view, nodeAddresses: ['192.0.2.1', '192.0.2.2'], ownAddresses: ['192.0.2.2'] },
    );
    expect(frontends.map(({ address, external }) => [address, external?.backends.length, external?.local])).toEqual([
      ['10.96.0.1', undefined, undefined],
      ['192.0.2.1', undefined, undefined],
      ['192.0.2.2', 2, false],
      ['198.51.100.1', 2, false],
    ]);
  });

  it('lets in whom its ranges name, by family; what is no range lets in nobody', () => {
    const balanced = (loadBalancerSourceRanges?: string[]) =>
      resolveService(
        service({ type: 'LoadBalancer', ipFamilies: [], loadBalancerSourceRanges } as Partial<ServiceObject['spec']>, {
          loadBalancerIPs: ['203.0.113.1', '2001:db8::1'],
        }),
        [],
        view,
      )
        .filter(({ kind }) => kind === 'load-balancer')
        .map(({ external }) => external?.sourceRanges);
    expect(balanced()).toEqual([undefined, undefined]);
    expect(balanced([])).toEqual([undefined, undefined]);
    expect(balanced([' 10.1.2.3/8', '2001:db8::/32', '10.0.0.0/8'])).toEqual([['10.0.0.0/8'], ['2001:db8::/32']]);
    expect(balanced(['everybody'])).toEqual([[], []]);
  });

  it('that is to stay local sends clients outside to its own terminating backends rather than to none', () => {
    const ports = [{ name: '', protocol: 'TCP', port: 80, nodePort: 30_080 }];
    const leaving = endpoint('10.0.0.1', { ready: false, terminating: true });
    const frontends = resolveService(
      service({ type: 'NodePort', ports, externalTrafficPolicy: 'Local' }),
      [slice([leaving, endpoint('10.0.1.1', { nodeName: 'n2', zones: ['b'] })])],
      view,
    );
    expect(frontends[1]).toMatchObject({
      backends: [
        { address: '10.0.1.1', terminating: false },
        { address: '10.0.0.1', terminating: true },
      ],
      external: { backends: [{ address: '10.0.0.1', terminating: false }] },
    });
  });

  it('tells affinity, algorithm and weights', () => {
    const metadata = { name: 'web', namespace: 'shop', annotations: { 'service.waggle.dev/algorithm': 'maglev' } };
    const [frontend] = resolveService(
      service({ sessionAffinity: 'ClientIP', affinitySeconds: 60 }, { metadata }),
      [slice([endpoint('10.0.0.1', { pod: 'a' }), endpoint('10.0.0.2', { pod: 'b' })])],
      { ...view, weightOf: (_, pod) => (pod === 'a' ? 9 : 1) },
    );
    expect(frontend).toMatchObject({
      affinitySeconds: 60,
      algorithm: 'maglev',
      backends: [{ weight: 9 }, { weight: 1 }],
    });
  });

  it('has an endpoint that stands in two slices once', () => {
    const slices = [slice([endpoint('10.0.0.1')]), slice([endpoint('10.0.0.1')])];
    expect(addresses(resolveService(service(), slices, view))).toEqual([['10.0.0.1:8080']]);
  });
});
