import { describe, expect, test } from 'vitest';
import { NO_ENDPOINT } from '../flow/endpoint.ts';
import { RESERVED_IDENTITY } from '../identity/reserved.ts';
import { cardName, isPerNodeKey } from './card-name.ts';

const pod = {
  ...NO_ENDPOINT,
  cluster: 'c',
  namespace: 'shop',
  pod: 'web-1',
  workloadKind: 'Deployment',
  workloadName: 'web',
  node: 'node2',
};
const world = { ...NO_ENDPOINT, identity: RESERVED_IDENTITY.world, labels: ['reserved:world'] };

describe('a card', () => {
  test('is a workload, or the pod that belongs to none', () => {
    expect(cardName(pod).key).toBe('c/shop/Deployment/web');
    expect(cardName({ ...pod, workloadKind: '', workloadName: '' }).key).toBe('c/shop/Pod/web-1');
  });

  test('stands once per node when asked to', () => {
    const { key, name } = cardName(pod, { perNode: true });
    expect(key).toBe('c/shop/Deployment/web@node2');
    expect(name).toBe('web');
    expect(isPerNodeKey(key)).toBe(true);
    expect(isPerNodeKey(cardName(pod).key)).toBe(false);
    expect(cardName({ ...world, node: 'node1' }, { perNode: true }).key).toBe('//World/world');
  });

  test('of the world bears the DNS name, the group of ranges or the longest range known', () => {
    expect(cardName(world).name).toBe('world');
    expect(cardName({ ...world, names: ['api.example.com', 'www.example.com'] }).key).toBe('//World/api.example.com');
    const group = ['cidr:203.0.113.0/24', 'cidrgroup:io.cilium.policy.cidrgroupname/office', 'reserved:world'];
    expect(cardName({ ...world, identity: 0x01000001, labels: group }).name).toBe('office');
    const ranges = ['cidr:0.0.0.0/0', 'cidr:203.0.113.0/24', 'cidr:203.0.0.0/16'];
    expect(cardName({ ...world, identity: 0x01000002, labels: ranges }).name).toBe('203.0.113.0/24');
    expect(cardName({ ...world, labels: ['cidr:0.0.0.0/0'] }).name).toBe('world');
    expect(cardName({ ...world, labels: ['cidr:2001-db8--0/32'] }).name).toBe('2001:db8::0/32');
  });

  test('is a host, another node, or unknown', () => {
    expect(cardName({ ...NO_ENDPOINT, cluster: 'c', identity: RESERVED_IDENTITY.host }).key).toBe('c//Host/host');
    expect(cardName({ ...NO_ENDPOINT, cluster: 'c', identity: RESERVED_IDENTITY['kube-apiserver'] }).name).toBe(
      'kube-apiserver',
    );
    expect(cardName({ ...NO_ENDPOINT, cluster: 'c' }).kind).toBe('unknown');
  });
});
