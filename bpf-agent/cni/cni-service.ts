import { create } from '@bufbuild/protobuf';
import { isAddress } from '#core/ip/address.ts';
import {
  CheckPodResponseSchema,
  type CniService,
  PreparePodResponseSchema,
  ReadyResponseSchema,
} from '#proto/gen/waggle/v1/cni_pb.ts';
import { Code, type Handlers, StatusError } from '#runtime/grpc/service.ts';
import { LoaderError } from '../loader/loader-error.ts';
import type { Link } from '../netlink/link.ts';
import { listLinks } from '../netlink/route-socket.ts';
import { vethPeers } from '../netlink/veth-peer.ts';
import type { PodInterface } from '../pods/pod-interface.ts';
import type { NodeSync } from '../sync/node-sync.ts';
import type { SyncLoop } from '../sync/sync-loop.ts';

const LONGEST_WAIT_MS = 60_000;
/** While a pod is waited for, it is looked for this often, in milliseconds. */
const LOOK_MS = 20;
const MOST_NAMES = 64;

interface Where {
  readonly networkNamespace: string;
  readonly hostInterfaces: readonly string[];
}

/** What the chained CNI plugin asks of the agent. For the unix socket only: whoever asks may close interfaces. */
export class PodPreparation implements Handlers<typeof CniService> {
  readonly #sync: NodeSync;
  readonly #loop: Pick<SyncLoop, 'next'>;

  constructor(sync: NodeSync, loop: Pick<SyncLoop, 'next'>) {
    this.#sync = sync;
    this.#loop = loop;
  }

  preparePod: Handlers<typeof CniService>['preparePod'] = async (request, { signal }) => {
    const { podUid: uid, namespace, pod: name, addresses, timeoutMs } = request;
    if (name === '' || namespace === '') throw new StatusError(Code.INVALID_ARGUMENT, 'the pod has no name');
    if (timeoutMs > LONGEST_WAIT_MS) {
      throw new StatusError(
        Code.INVALID_ARGUMENT,
        `timeout_ms is ${timeoutMs}; at most ${LONGEST_WAIT_MS} is possible`,
      );
    }
    const link = refused(() => podInterface(request));
    const given = addresses.slice(0, MOST_NAMES).filter(isAddress);
    // From here on nothing passes, whatever becomes of the wait.
    refused(() => this.#sync.announce({ uid, namespace, name, interface: link, addresses: given }));
    const deadline = performance.now() + timeoutMs;
    while (!signal.aborted) {
      await this.#loop.next();
      if (this.#sync.isSettled(link.index)) {
        return create(PreparePodResponseSchema, { interfaceName: link.name, closed: false });
      }
      const left = deadline - performance.now();
      if (left <= 0) return create(PreparePodResponseSchema, { interfaceName: link.name, closed: true });
      await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MS, left)));
    }
    throw new StatusError(Code.CANCELLED, 'the caller went away');
  };

  checkPod: Handlers<typeof CniService>['checkPod'] = async (request) => {
    const link = refused(() => podInterface(request));
    if (!this.#sync.isAttached(link.index)) {
      throw new StatusError(
        Code.NOT_FOUND,
        `the programs are not on ${link.name}: delete the pod, so that it is made anew`,
      );
    }
    return create(CheckPodResponseSchema, { interfaceName: link.name });
  };

  async ready() {
    return create(ReadyResponseSchema);
  }
}

/** The host side of the pod's veth pair: by its network namespace, where that can be opened, else by the names given. */
function podInterface({ networkNamespace, hostInterfaces }: Where): PodInterface {
  const links = listLinks();
  const named = links.filter(({ kind, name }) => kind === 'veth' && hostInterfaces.includes(name));
  const [found, ...more] = peersIn(networkNamespace, links) ?? named;
  // Of several pairs into one namespace the one that was just made.
  const one = more.length === 0 ? found : [found!, ...more].filter((link) => named.includes(link)).at(-1);
  if (one !== undefined) return { index: one.index, name: one.name };
  const names = hostInterfaces.slice(0, MOST_NAMES).join(', ').slice(0, 500) || 'none was named';
  throw new StatusError(
    Code.NOT_FOUND,
    `no veth pair of the pod is on this node (interfaces: ${names}): Waggle works with CNIs that give pods a veth pair`,
  );
}

/** Undefined when the namespace cannot be looked into from here, or nothing leads there. */
function peersIn(networkNamespace: string, links: readonly Link[]): Link[] | undefined {
  if (!networkNamespace.startsWith('/')) return undefined;
  try {
    const peers = vethPeers(networkNamespace, links).map(({ host }) => host);
    return peers.length === 0 ? undefined : peers;
  } catch (error) {
    if (error instanceof LoaderError) return undefined;
    throw error;
  }
}

function refused<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof LoaderError) throw new StatusError(Code.UNAVAILABLE, error.message);
    throw error;
  }
}
