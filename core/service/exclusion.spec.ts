import { expect, it } from 'vitest';
import { exclusions } from './exclusion.ts';
import { resolveService } from './resolve-service.ts';
import type { ServiceObject, SliceObject } from './service.ts';

it('says of every endpoint that gets nothing why it does not', () => {
  const service: ServiceObject = {
    metadata: { name: 'web', namespace: 'shop', annotations: {} },
    spec: {
      ...{ type: 'ClusterIP', clusterIPs: ['10.96.0.1'], externalIPs: [], sessionAffinity: 'None', affinitySeconds: 0 },
      ...{ internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Cluster', publishNotReadyAddresses: false },
      ports: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 0 }],
    },
    loadBalancerIPs: [],
  };
  const endpoint = (address: string, more: Partial<SliceObject['endpoints'][number]> = {}) => ({
    ...{ addresses: [address], ready: true, serving: true, terminating: false, nodeName: 'n1', pod: '', zones: [] },
    ...more,
  });
  const ports = [{ name: 'http', protocol: 'TCP', port: 8080 }];
  const slices: SliceObject[] = [
    {
      addressType: 'IPv4',
      ports,
      endpoints: [
        endpoint('10.0.0.1'),
        endpoint('10.0.0.2', { nodeName: 'n2', pod: 'web-2' }),
        endpoint('10.0.0.3', { ready: false, serving: false }),
        endpoint('10.0.0.4', { ready: false, serving: false, terminating: true }),
      ],
    },
    { addressType: 'IPv4', ports: [], endpoints: [endpoint('10.0.0.5')] },
    { addressType: 'IPv6', ports, endpoints: [endpoint('fd00::1')] },
  ];
  const view = { node: 'n1', zone: '', nodeAddresses: [] };
  const [frontend] = resolveService(service, slices, view);
  expect(frontend!.backends.map(({ address }) => address)).toEqual(['10.0.0.1']);
  expect(exclusions(service, slices, view, frontend!)).toEqual([
    'web-2 (10.0.0.2) is left out: it runs on n2, and internalTrafficPolicy is Local.',
    '10.0.0.3 is left out: it is not ready and does not serve.',
    '10.0.0.4 is left out: it is terminating.',
    '10.0.0.5 is left out: it has no port "http".',
  ]);
});
