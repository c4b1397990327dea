import { expect, test } from 'vitest';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import type { Datapath } from '../loader/datapath.ts';
import { NodeUplink } from './node-uplink.ts';

test('stays as an earlier agent left it until the state is read', () => {
  const told: (readonly number[])[] = [];
  const datapath = { attachUplinks: (links: readonly number[]) => told.push(links) } as unknown as Datapath;
  const source = { unread: true, get: () => undefined } as unknown as ClusterSource & { unread: boolean };
  let external = true;
  const uplink = new NodeUplink({ source, datapath, node: 'n1', wanted: () => external });
  uplink.settle();
  expect(told).toEqual([]);
  external = false;
  source.unread = false;
  for (let second = 0; second < 60; second++) uplink.settle();
  // Nobody wants it any more: taken off once.
  expect(told).toEqual([[]]);
});
