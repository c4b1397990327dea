import { create } from '@bufbuild/protobuf';
import {
  type ChangeNotification,
  ChangeNotificationSchema,
  ChangeNotificationType,
  Peer,
} from '#proto/gen/peer/peer_pb.ts';
import { formatAddress } from '../address.ts';
import { primaryAddress } from '../cluster/node-address.ts';

import type { ClusterSource } from '../cluster/source.ts';
import { type Handlers, type ServedService, service } from '../grpc/service.ts';

/** Where node agents listen. */
const AGENT_PORT = 4244;
const AGENT_TLS_DOMAIN = 'hubble-grpc.cilium.io';
/** A reader that is this many changes behind is told the present state instead. */
const MOST_WAITING = 4_096;

/** A node whose agent serves the observer. */
interface PeerAddress {
  /** `cluster/node`. */
  readonly name: string;
  /** `host:port`. */
  readonly address: string;
}

/** The name that the certificate of a node's agent carries: Hubble's form, where a dot within a name becomes a hyphen. */
export function agentTlsName(cluster: string, node: string): string {
  return [node, cluster].map((name) => `${name.replaceAll('.', '-')}.`).join('') + AGENT_TLS_DOMAIN;
}

/**
 * Hubble's Peer: the cluster's nodes, each with the address of its agent, then what changes.
 *
 * @param tls whether agents are reached by TLS: then each is told with the name its certificate carries
 */
export function peerService(source: ClusterSource, cluster: () => string, tls: () => boolean): ServedService {
  const handlers: Handlers<typeof Peer> = {
    notify: async function* (_request, { signal }) {
      const told = new Map<string, string>();
      const waiting: ChangeNotification[] = [];
      let wake = () => {};
      const change = (type: ChangeNotificationType, name: string, address: string): ChangeNotification => {
        const [inCluster, node] = name.split('/') as [string, string];
        const named = tls() ? { serverName: agentTlsName(inCluster, node) } : undefined;
        return create(ChangeNotificationSchema, { name, address, type, tls: named });
      };
      const compare = () => {
        const now = new Map(peersOf(source, cluster()).map(({ name, address }) => [name, address]));
        for (const [name, address] of told) {
          if (!now.has(name)) waiting.push(change(ChangeNotificationType.PEER_DELETED, name, address));
        }
        for (const [name, address] of now) {
          const before = told.get(name);
          if (before === address) continue;
          const type = before === undefined ? ChangeNotificationType.PEER_ADDED : ChangeNotificationType.PEER_UPDATED;
          waiting.push(change(type, name, address));
        }
        told.clear();
        for (const [name, address] of now) told.set(name, address);
        wake();
      };
      let stale = false;
      const leave = source.onChange(({ kind }) => {
        if (kind !== 'Node') return;
        // What a slow reader has not taken yet stays as it is; the rest is compared when it comes back.
        if (waiting.length >= MOST_WAITING) stale = true;
        else compare();
      });
      const onAbort = () => wake();
      signal.addEventListener('abort', onAbort);
      try {
        compare();
        while (!signal.aborted) {
          for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) yield next;
          if (stale) {
            stale = false;
            compare();
            continue;
          }
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        leave();
        signal.removeEventListener('abort', onAbort);
      }
    },
  };
  return service(Peer, handlers);
}

function peersOf(source: ClusterSource, cluster: string): PeerAddress[] {
  return source.list('Node').flatMap((node) => {
    const host = primaryAddress(node);
    if (host === undefined) return [];
    return [
      {
        name: `${cluster}/${node.metadata.name}`,
        address: formatAddress({ kind: 'tcp', host, port: AGENT_PORT }),
      },
    ];
  });
}
