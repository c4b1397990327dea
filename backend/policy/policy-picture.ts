import { remoteNodesCardKey, WORLD_NAME, workloadCardKey } from '#core/card/card-name.ts';
import { formatAddress, isAddress, parseAddress } from '#core/ip/address.ts';
import { cidrHas, parseCidr } from '#core/ip/cidr.ts';
import { checkPolicies } from '#core/policy/check-policies.ts';
import { type Coverage, coverageOf } from '#core/policy/coverage.ts';
import type { Finding } from '#core/policy/finding.ts';
import { PolicyEngine } from '#core/policy/policy-engine.ts';
import { type Outside, type ReachList, reachOf } from '#core/policy/reach.ts';
import type { Node } from '#runtime/cluster/objects.ts';
import { PodDescriber, type PodDescription } from '#runtime/cluster/pod-description.ts';
import { PolicyBook, type PolicyEntry } from '#runtime/cluster/policy-book.ts';
import { PolicyClusterView } from '#runtime/cluster/policy-cluster-view.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';

const MOST_REACHES = 2_000;
/** Of the time that passes, making pictures takes at most this part, however fast the cluster changes. */
const MOST_SHARE = 0.1;

/** A workload whose pods have a network of their own. */
export interface PolicedWorkload {
  readonly key: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly pods: number;
  /** Of its pods; more than one while their labels differ. */
  readonly coverages: readonly Coverage[];
}

/** What policies say of a cluster at one moment. */
export interface PolicyPicture {
  readonly engine: PolicyEngine;
  readonly entries: readonly PolicyEntry[];
  /** By namespace, kind and name. */
  readonly workloads: readonly PolicedWorkload[];
  /** Of policies against the cluster: WP2xx. Worked out when first asked for, as is who reaches whom: that takes longest. */
  findings(): readonly Finding[];
  reach(): ReachList;
}

/** Keeps a picture of the cluster's policies, made anew when asked for after a change. */
export class PolicyPictures {
  readonly #source: ClusterSource;
  readonly #book = new PolicyBook();
  #cluster: string | undefined;
  #describer = new PodDescriber('');
  #view = new PolicyClusterView('', false);
  #picture: PolicyPicture | undefined;
  /** Something changed since the picture was made. */
  #stale = false;
  /** When another may be made, by performance.now(). */
  #notBefore = 0;
  readonly stop: () => void;

  constructor(source: ClusterSource) {
    this.#source = source;
    this.stop = source.onChange(() => {
      this.#stale = true;
    });
  }

  /** @param cluster its name: part of every pod's identity and of its card's key */
  current(cluster: string): PolicyPicture {
    if (cluster !== this.#cluster) {
      this.#cluster = cluster;
      this.#describer = new PodDescriber(cluster);
      this.#view = new PolicyClusterView(cluster, false);
      this.#picture = undefined;
    }
    if (this.#picture === undefined || (this.#stale && performance.now() >= this.#notBefore)) {
      this.#stale = false;
      this.#notBefore = 0;
      this.#picture = this.#timed(() => this.#make(cluster));
    }
    return this.#picture;
  }

  problems(): string[] {
    return this.#source.problems().map(({ subject, message }) => `${subject}: ${message}`);
  }

  /** What it takes is made up for by waiting. */
  #timed<T>(work: () => T): T {
    const started = performance.now();
    const made = work();
    const ended = performance.now();
    this.#notBefore = Math.max(this.#notBefore, ended) + (ended - started) / MOST_SHARE;
    return made;
  }

  #make(cluster: string): PolicyPicture {
    const pods = this.#describer.describe(this.#source).filter(({ finished }) => !finished);
    const identities = new Map(pods.map(({ identity, labelSet }) => [identity, labelSet]));
    const { policies, entries } = this.#book.read(this.#source);
    const engine = new PolicyEngine(policies, this.#view.read(this.#source, identities));
    const byWorkload = Map.groupBy(pods, ({ namespace, workload }) =>
      workloadCardKey(cluster, namespace, workload.kind, workload.name),
    );
    const names = new Map(pods.map(({ identity, namespace, workload }) => [identity, `${namespace}/${workload.name}`]));
    const outside = outsideOf(cluster, pods, this.#source.list('Node'));
    return {
      engine,
      entries,
      workloads: [...byWorkload].map(([key, own]) => policedWorkload(engine, key, own)).sort(compareWorkloads),
      findings: once(() =>
        this.#timed(() => checkPolicies(engine, (identity) => names.get(identity) ?? `identity ${identity}`)),
      ),
      reach: once(() =>
        this.#timed(() =>
          reachOf(
            engine,
            [...byWorkload].map(([key, [first]]) => reachEnd(key, first)),
            outside,
            MOST_REACHES,
          ),
        ),
      ),
    };
  }
}

function once<T>(work: () => T): () => T {
  let made: { readonly result: T } | undefined;
  return () => {
    made ??= { result: work() };
    return made.result;
  };
}

function policedWorkload(engine: PolicyEngine, key: string, pods: readonly PodDescription[]): PolicedWorkload {
  const { namespace, workload } = pods[0];
  const identities = [...new Set(pods.map(({ identity }) => identity))];
  const coverages = identities.map((identity) => coverageOf(engine, engine.index.indexOf(identity)!));
  return { key, namespace, kind: workload.kind, name: workload.name, pods: pods.length, coverages };
}

function compareWorkloads(a: PolicedWorkload, b: PolicedWorkload): number {
  const [x, y] = [a, b].map(({ namespace, kind, name }) => `${namespace}\0${kind}\0${name}`);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** By its first pod: those of one workload differ in no way that policies usually tell. */
function reachEnd(key: string, { identity, addresses, node }: PodDescription) {
  const [address] = addresses.map(parseAddress).sort((a, b) => a.length - b.length || compareTexts(a, b));
  return { key, party: { identity, address, node } };
}

function outsideOf(cluster: string, pods: readonly PodDescription[], nodes: readonly Node[]): Outside {
  const ranges = nodes.flatMap(({ spec }) => spec.podCIDRs.flatMap((text) => parseCidr(text) ?? []));
  const ofNodes = nodes.flatMap(({ status }) => status.addresses.map(({ address }) => address)).filter(isAddress);
  const known = new Set([...pods.flatMap(({ addresses }) => addresses), ...ofNodes].map(canonical));
  return {
    world: WORLD_NAME.key,
    nodes: remoteNodesCardKey(cluster),
    isInside: (address) => known.has(formatAddress(address)) || ranges.some((range) => cidrHas(range, address)),
  };
}

function canonical(address: string): string {
  return formatAddress(parseAddress(address));
}

function compareTexts(a: Uint8Array, b: Uint8Array): number {
  return formatAddress(a) < formatAddress(b) ? -1 : 1;
}
