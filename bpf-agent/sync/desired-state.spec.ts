import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Node } from '#runtime/cluster/objects.ts';
import type { PodDescription } from '#runtime/cluster/pod-description.ts';
import { samplePod } from '../testing/sample-pod.ts';
import { type ClusterPicture, desiredState } from './desired-state.ts';
import { difference } from './difference.ts';

function pod(name: string, more: Partial<PodDescription> = {}): PodDescription {
  return samplePod(name, { uid: `uid-${name}`, cgroupUid: `uid-${name}`, ...more });
}

function node(name: string, addresses: string[], podCIDRs: string[] = []): Node {
  return {
    kind: 'Node',
    metadata: { name, namespace: '', uid: name, labels: {}, annotations: {}, ownerReferences: [] },
    spec: { podCIDRs },
    status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
  };
}

const empty: ClusterPicture = { ownNode: 'n1', ownAddresses: [], nodes: [], pods: [], endpoints: [] };

describe('desired state', () => {
  it('knows every pod of the cluster by its addresses', () => {
    const state = desiredState({
      ...empty,
      pods: [
        pod('a', { addresses: ['10.0.0.1', 'fd00:0:0::1'] }),
        pod('b', { node: 'n2', addresses: ['10.0.1.1'], identity: 0x4000_0002 }),
      ],
    });
    expect(state.identities).toEqual(
      new Map([
        ['10.0.0.1', 0x4000_0001],
        ['fd00::1', 0x4000_0001],
        ['10.0.1.1', 0x4000_0002],
      ]),
    );
    expect(state.endpoints.size).toBe(0);
  });

  it('takes the own node for the host and others for remote nodes', () => {
    const state = desiredState({
      ...empty,
      ownAddresses: ['169.254.1.1', 'fe80::1'],
      nodes: [node('n1', ['192.0.2.1', 'n1.example']), node('n2', ['192.0.2.2', '2001:db8::2'])],
    });
    expect(state.identities).toEqual(
      new Map([
        ['192.0.2.1', 1],
        ['192.0.2.2', 6],
        ['2001:db8::2', 6],
        ['169.254.1.1', 1],
        ['fe80::1', 1],
      ]),
    );
    expect(state.owners.get('192.0.2.2')).toEqual({ kind: 'node', node: 'n2', identity: 6 });
  });

  it('calls what else is in the pods’ ranges unmanaged, and skips ranges it cannot read', () => {
    const cidrs = ['10.0.0.0/24', 'fd00::/64', '10.0.0.0/33', 'nonsense', '10.0.0.0/'];
    expect(desiredState({ ...empty, nodes: [node('n1', [], cidrs)] }).prefixes).toEqual(
      new Map([
        ['10.0.0.0/24', 3],
        ['fd00::/64', 3],
      ]),
    );
  });

  it('calls what is in ranges it was given unmanaged too, where nodes carry none', () => {
    const picture = { ...empty, nodes: [node('n1', []), node('n2', [], ['10.1.0.0/24'])], podCidrs: ['10.0.0.0/8'] };
    expect(desiredState(picture).prefixes).toEqual(
      new Map([
        ['10.1.0.0/24', 3],
        ['10.0.0.0/8', 3],
      ]),
    );
  });

  it('gives an address of a finished pod to the pod that runs with it', () => {
    const finished = pod('old', { finished: true, addresses: ['10.0.0.1'] });
    const running = pod('new', { addresses: ['10.0.0.1'], identity: 0x4000_0009 });
    for (const pods of [
      [finished, running],
      [running, finished],
    ]) {
      expect(desiredState({ ...empty, pods }).identities).toEqual(new Map([['10.0.0.1', 0x4000_0009]]));
    }
  });

  it('forgets a finished pod unless its interface still stands here', () => {
    const finished = pod('job', { finished: true, addresses: ['10.0.0.1'] });
    expect(desiredState({ ...empty, pods: [finished] }).identities.size).toBe(0);
    const endpoint = { id: 4, pod: finished, interface: { index: 7, name: 'veth7' } };
    const state = desiredState({ ...empty, pods: [finished], endpoints: [endpoint] });
    expect(state.identities.get('10.0.0.1')).toBe(0x4000_0001);
    expect(state.endpoints).toEqual(new Map([[7, endpoint]]));
    expect(state.owners.get('10.0.0.1')).toEqual({ kind: 'pod', pod: finished, endpoint });
  });

  it('lets a pod have an address before a node', () => {
    const state = desiredState({ ...empty, ownAddresses: ['10.0.0.1'], pods: [pod('a', { addresses: ['10.0.0.1'] })] });
    expect(state.identities.get('10.0.0.1')).toBe(0x4000_0001);
  });
});

describe('difference', () => {
  it('is empty for equal maps', () => {
    expect(difference(new Map([['a', 1]]), new Map([['a', 1]]))).toEqual({ set: [], delete: [] });
  });

  it('turns any map into any other with the fewest writes', () => {
    const maps = fc
      .dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat(3))
      .map((o) => new Map(Object.entries(o)));
    fc.assert(
      fc.property(maps, maps, (current, desired) => {
        const change = difference(current, desired);
        const result = new Map(current);
        for (const key of change.delete) expect(result.delete(key)).toBe(true);
        for (const [key, value] of change.set) {
          expect(result.get(key)).not.toBe(value);
          result.set(key, value);
        }
        expect(result).toEqual(desired);
      }),
    );
  });
});
