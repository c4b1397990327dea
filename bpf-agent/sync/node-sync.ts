import type { LabelSet } from '#core/identity/label-set.ts';
import { RESERVED_IDENTITY } from '#core/identity/reserved.ts';
import { formatAddress, parseAddress } from '#core/ip/address.ts';
import { PodDescriber, type PodDescription } from '#runtime/cluster/pod-description.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import type { AddressBook } from '../events/address-book.ts';
import type { Datapath } from '../loader/datapath.ts';
import { toDatapathAddress } from '../maps/address-bytes.ts';
import type { EndpointEntry } from '../maps/endpoints.ts';
import type { Link } from '../netlink/link.ts';
import { listAddresses, listLinks } from '../netlink/route-socket.ts';
import type { PodFinder } from '../pods/pod-finder.ts';
import { CLOSED, PolicySync } from '../policy/policy-sync.ts';
import type { ReasonLog } from '../policy/reason-log.ts';
import type { RunDirectory } from '../run-directory.ts';
import { DatapathMirror } from './datapath-mirror.ts';
import { desiredState, type LocalEndpoint } from './desired-state.ts';
import { type EarlyPod, EarlyPods } from './early-pods.ts';

const HOST_SCOPE = 254;
/** For so long a pod counts as new, in milliseconds. */
const NEW_MS = 10_000;

/** A pod of this node as it stands. */
export interface NodePod {
  readonly pod: PodDescription;
  /** Set once its interface was found. */
  readonly endpoint?: LocalEndpoint;
  /** Empty when the programs are on its interface and know its addresses; else what is missing. */
  readonly problem: string;
  /** Since when there is a problem, on the clock of performance.now(). */
  readonly since: number;
}

export interface NodeSyncOptions {
  readonly source: ClusterSource;
  readonly datapath: Datapath;
  readonly finder: PodFinder;
  readonly book: AddressBook;
  readonly cluster: string;
  readonly node: string;
  readonly reasons: ReasonLog;
  readonly run: Pick<RunDirectory, 'read' | 'write'>;
  /** Evaluate policies and report, enforce nowhere. */
  readonly policyAudit: boolean;
  /** Ranges of pods' addresses beside the nodes' podCIDRs. */
  readonly podCidrs?: readonly string[];
}

/** Brings the datapath and the address book to what the cluster's state and the node's interfaces ask for. */
export class NodeSync {
  readonly #options: NodeSyncOptions;
  readonly #describer: PodDescriber;
  readonly #mirror: DatapathMirror;
  readonly policy: PolicySync;
  readonly #early = new EarlyPods();
  #pods = new Map<string, NodePod>();
  /** Pods that are no longer in the cluster's state and whose interface still stands: their last packets are theirs. */
  #departing = new Map<string, LocalEndpoint>();
  #nextId: number;

  constructor(options: NodeSyncOptions) {
    this.#options = options;
    this.#describer = new PodDescriber(options.cluster);
    this.#mirror = new DatapathMirror(options.datapath);
    this.policy = new PolicySync({
      source: options.source,
      maps: options.datapath.maps,
      reasons: options.reasons,
      run: options.run,
      cluster: options.cluster,
      audit: options.policyAudit,
      setsInUse: this.#setsInUse(),
    });
    this.#nextId = Math.max(0, ...[...this.#mirror.endpoints.values()].map(({ id }) => id)) + 1;
  }

  /** This node's pods by uid, as of the last run. */
  get pods(): ReadonlyMap<string, NodePod> {
    return this.#pods;
  }

  /**
   * Closes an interface that is about to be a pod's, until a later run knows the pod and its policy. One that is known already
   * stays as it is. Throws LoaderError; then it may be open.
   */
  announce(pod: EarlyPod): void {
    this.#early.add(pod);
    this.#mirror.introduce(pod.interface.index, this.#unknownPod(pod));
  }

  /** Whether the pod behind the interface is known and under its policy. */
  isSettled(interfaceIndex: number): boolean {
    if (!this.isAttached(interfaceIndex) || this.#mirror.endpoints.get(interfaceIndex)?.policy?.closed) return false;
    return [...this.#pods.values()].some(
      ({ endpoint, problem }) => endpoint?.interface.index === interfaceIndex && problem === '',
    );
  }

  isAttached(interfaceIndex: number): boolean {
    return this.#mirror.attached().has(interfaceIndex);
  }

  /**
   * Throws LoaderError when the kernel refuses a map entry or the list of links.
   * @returns whether a pod is new here and its interface not found yet
   */
  run(): boolean {
    const { source, finder, book, node } = this.#options;
    const links = listLinks();
    const linkIndexes = new Set(links.map(({ index }) => index));
    this.#early.keepOnly(links);
    const pods = this.#describer
      .describe(source)
      .map((pod) => (pod.node === node ? this.#early.withAddresses(pod) : pod));
    const local = pods.filter((pod) => pod.node === node);
    const found = finder.find(
      local.map((pod) => pod.cgroupUid),
      links,
    );

    const endpoints = new Map<string, LocalEndpoint>();
    const missing = new Map<string, string>();
    for (const pod of local) {
      const result = found.get(pod.cgroupUid)!;
      const link = 'interface' in result ? result.interface : this.#early.interfaceOf(pod);
      if (link !== undefined) endpoints.set(pod.uid, { id: this.#endpointId(link.index), pod, interface: link });
      else if ('problem' in result) missing.set(pod.uid, result.problem);
    }
    this.#followDepartures(local, endpoints, links);

    const present = [...[...this.#departing.values()].map(({ pod }) => ({ ...pod, finished: true })), ...pods];
    const state = desiredState({
      ownNode: node,
      ownAddresses: listAddresses()
        .filter(({ scope }) => scope !== HOST_SCOPE)
        .map(({ address }) => formatAddress(address)),
      nodes: source.list('Node'),
      podCidrs: this.#options.podCidrs,
      pods: present,
      endpoints: [...this.#departing.values(), ...endpoints.values()],
    });
    const own = new Set([...state.endpoints.values()].map(({ pod }) => pod.identity));
    // Policy before addresses: whoever is new meets rules that know it.
    const policies = this.policy.prepare({
      all: new Map(present.map(({ identity, labelSet }): [number, LabelSet] => [identity, labelSet])),
      local: own,
      mapped: this.#mirror.identities(),
    });
    const entries = new Map<number, EndpointEntry>(
      [...state.endpoints].map(([index, { id, pod }]) => [
        index,
        {
          id,
          identity: pod.identity,
          policy: policies.get(pod.identity),
          addresses: ownAddresses(pod),
        },
      ]),
    );
    for (const pod of this.#early.all()) {
      if (!entries.has(pod.interface.index)) entries.set(pod.interface.index, this.#unknownPod(pod));
    }
    // Where an earlier agent's programs are and its entry could not be taken over, as after a change of layout.
    for (const index of this.#mirror.attached()) {
      if (!linkIndexes.has(index) || entries.has(index) || this.#mirror.endpoints.has(index)) continue;
      entries.set(index, this.#unknownPod({ interface: { index }, addresses: [] }));
    }
    // An interface an earlier agent knew and we do not (yet): it keeps its entry as long as it stands.
    for (const [index, entry] of this.#mirror.endpoints) {
      if (linkIndexes.has(index) && !entries.has(index)) entries.set(index, entry);
    }
    const problems = this.#mirror.apply({ ...state, endpoints: entries }, linkIndexes);
    this.policy.settle(own, this.#setsInUse());
    book.update(state.owners);

    const before = this.#pods;
    this.#pods = new Map(
      local.map((pod) => {
        const endpoint = endpoints.get(pod.uid);
        const problem = problemOf(pod, endpoint, missing.get(pod.uid), problems);
        const known = before.get(pod.uid);
        const since = known !== undefined && known.problem !== '' ? known.since : performance.now();
        return [pod.uid, { pod, endpoint, problem, since }];
      }),
    );
    const now = performance.now();
    return [...this.#pods.values()].some(
      ({ pod, endpoint, since }) => endpoint === undefined && !pod.finished && now - since < NEW_MS,
    );
  }

  #followDepartures(
    local: readonly PodDescription[],
    endpoints: ReadonlyMap<string, LocalEndpoint>,
    links: Link[],
  ): void {
    const present = new Set(local.map(({ uid }) => uid));
    const names = new Map(links.map(({ index, name }) => [index, name]));
    const departing = new Map<string, LocalEndpoint>();
    const before = [...this.#pods.values()].flatMap(({ endpoint }) => endpoint ?? []);
    for (const endpoint of [...this.#departing.values(), ...before]) {
      const stands = names.get(endpoint.interface.index) === endpoint.interface.name;
      if (!present.has(endpoint.pod.uid) && stands) departing.set(endpoint.pod.uid, endpoint);
    }
    for (const { interface: taken } of endpoints.values()) {
      for (const [uid, endpoint] of departing) if (endpoint.interface.index === taken.index) departing.delete(uid);
    }
    this.#departing = departing;
  }

  /** Nobody is kept out where nothing is enforced. */
  #unknownPod({
    interface: { index },
    addresses,
  }: {
    readonly interface: { readonly index: number };
    readonly addresses: readonly string[];
  }): EndpointEntry {
    const closed = this.policy.engine !== undefined && !this.#options.policyAudit;
    return {
      id: this.#endpointId(index),
      identity: RESERVED_IDENTITY.init,
      policy: closed ? CLOSED : undefined,
      addresses: addresses.map((address) => toDatapathAddress(parseAddress(address))),
    };
  }

  #setsInUse(): Set<number> {
    return new Set([...this.#mirror.endpoints.values()].flatMap(({ policy }) => policy?.set ?? []));
  }

  /** The number an interface has, from an earlier agent too, or the next one. */
  #endpointId(interfaceIndex: number): number {
    const known =
      this.#mirror.endpoints.get(interfaceIndex)?.id ??
      [...this.#pods.values()].find(({ endpoint }) => endpoint?.interface.index === interfaceIndex)?.endpoint?.id;
    return known ?? this.#nextId++;
  }
}

/** By the list they were read from: it stays as long as the pod does. */
const knownAddresses = new WeakMap<readonly string[], Uint8Array[]>();

function ownAddresses({ addresses }: PodDescription): readonly Uint8Array[] {
  let known = knownAddresses.get(addresses);
  if (known === undefined) {
    known = addresses.map((address) => toDatapathAddress(parseAddress(address)));
    knownAddresses.set(addresses, known);
  }
  return known;
}

function problemOf(
  pod: PodDescription,
  endpoint: LocalEndpoint | undefined,
  missing: string | undefined,
  refused: ReadonlyMap<number, string>,
): string {
  if (endpoint === undefined) return missing ?? 'its interface was not found';
  const problem = refused.get(endpoint.interface.index);
  if (problem !== undefined) return problem;
  return pod.addresses.length === 0 ? 'the cluster state has no address of the pod yet' : '';
}
