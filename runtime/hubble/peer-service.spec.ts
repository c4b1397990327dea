import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { ChangeNotificationType, Peer } from '#proto/gen/peer/peer_pb.ts';
import type { Node } from '../cluster/objects.ts';
import type { ClusterChange, ClusterSource } from '../cluster/source.ts';
import { createClient } from '../grpc/client.ts';
import { startGrpcServer } from '../grpc/server.ts';
import { peerService } from './peer-service.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const { ADDED, DELETED, UPDATED } = {
  ADDED: ChangeNotificationType.PEER_ADDED,
  DELETED: ChangeNotificationType.PEER_DELETED,
  UPDATED: ChangeNotificationType.PEER_UPDATED,
};

test('tells every node, then what changes', async () => {
  const nodes = new Map<string, string[]>([
    ['a', ['10.0.0.1', 'fd00::1']],
    ['b', ['fd00::2', '10.0.0.2']],
    ['not-yet', []],
  ]);
  let listener: (change: ClusterChange) => void = () => {};
  const source = {
    list: () =>
      [...nodes].map(
        ([name, addresses]) =>
          ({
            kind: 'Node',
            metadata: { name },
            status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
          }) as unknown as Node,
      ),
    onChange: (added: typeof listener) => {
      listener = added;
      return () => {
        listener = () => {};
      };
    },
  } as unknown as ClusterSource;
  const changed = () => listener({ kind: 'Node' } as ClusterChange);
  const log = pino({ level: 'silent' });
  const server = await startGrpcServer({
    address: '127.0.0.1:0',
    services: [
      peerService(
        source,
        () => 'kind',
        () => true,
      ),
    ],
    log,
  });
  cleanups.push(() => server.stop(0));
  const client = createClient(Peer, server.address);
  cleanups.push(() => client.close());
  const stream = client.notify({})[Symbol.asyncIterator]();
  const next = async () => {
    const { type, name, address, tls } = (await stream.next()).value;
    expect(tls).toMatchObject({ serverName: `${name.split('/')[1].replace('.', '-')}.kind.hubble-grpc.cilium.io` });
    return [type, name, address];
  };
  expect([await next(), await next()]).toEqual([
    [ADDED, 'kind/a', '10.0.0.1:4244'],
    [ADDED, 'kind/b', '[fd00::2]:4244'],
  ]);
  nodes.set('not.yet', ['10.0.0.3']);
  changed();
  expect(await next()).toEqual([ADDED, 'kind/not.yet', '10.0.0.3:4244']);
  nodes.set('a', ['10.0.0.9']);
  nodes.delete('b');
  changed();
  expect([await next(), await next()]).toEqual([
    [DELETED, 'kind/b', '[fd00::2]:4244'],
    [UPDATED, 'kind/a', '10.0.0.9:4244'],
  ]);
  await stream.return?.();
});
