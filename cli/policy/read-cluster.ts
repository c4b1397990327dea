import { existsSync, globSync } from 'node:fs';
import { type ManifestDocument, parseManifest } from '#core/manifest/document.ts';
import { type Finding, finding } from '#core/policy/finding.ts';
import type { Policy } from '#core/policy/policy.ts';
import { PolicyEngine } from '#core/policy/policy-engine.ts';
import { readPolicy } from '#core/policy/read-policies.ts';
import { POLICY_KIND, type PolicyKind, type PolicyReference, policyText } from '#core/policy/reference.ts';
import { closedInstead } from '#core/policy/unreadable-policy.ts';
import { labLayout } from '#lab/lab-layout.ts';
import { type ManifestSource, readSources } from '#lab/manifest/read-sources.ts';
import { ObjectStore } from '#runtime/cluster/object-store.ts';
import { isClusterScoped, KINDS, type Kind, type Node } from '#runtime/cluster/objects.ts';
import { PodDescriber, type PodDescription } from '#runtime/cluster/pod-description.ts';
import { PolicyClusterView } from '#runtime/cluster/policy-cluster-view.ts';
import { ObjectError, readObject } from '#runtime/cluster/read-object.ts';
import { CommandError } from '../failure.ts';
import { podOfWorkload } from './workload-pod.ts';

/** Pods, nodes and policies of a running lab, or of manifests. */
export interface ReadCluster {
  readonly engine: PolicyEngine;
  readonly pods: readonly PodDescription[];
  readonly nodes: readonly Node[];
  readonly policies: readonly Policy[];
  /** Of the policies, and of objects that could not be read. */
  readonly findings: readonly Finding[];
  /** Of a cluster's state: why policies of it cannot be used. Among `policies` stands what closes the pods they may be about. */
  readonly unusable: readonly Finding[];
}

const UNREADABLE_FIX = 'name a file that can be read, or a folder with manifests';
const NAMESPACE_NAME_LABEL = 'kubernetes.io/metadata.name';
/** Where a pod of a manifest runs that no scheduler has placed yet. */
const UNPLACED = '(not placed)';

/** The state of a lab on this machine. Throws {@link CommandError} where there is none. */
export function labSources(name: string): ManifestSource[] {
  const { stateDir } = labLayout(name);
  if (!existsSync(stateDir)) {
    throw new CommandError(
      `there is no lab "${name}"; start one with "waggle lab up", or give manifests with --manifests`,
    );
  }
  return readSources(globSync(`${stateDir}/*/*/*.yaml`).sort());
}

/**
 * Reads a cluster from manifests: pods as they stand, workloads as one pod each. Of policies of one name the last holds, as
 * if they had been applied in this order.
 *
 * @param workloads false for the state of a cluster, where the pods of workloads stand by themselves
 * @param name of the cluster: selectors may be about it
 */
export function readCluster(
  sources: readonly ManifestSource[],
  { workloads, name = 'default' }: { workloads: boolean; name?: string },
): ReadCluster {
  const store = new ObjectStore();
  const policies = new Map<string, Policy>();
  const findings: Finding[] = [];
  const unusable: Finding[] = [];
  const standIn = (file: string, value: unknown, found: readonly Finding[]): boolean => {
    const reference = workloads || found.every(({ severity }) => severity !== 'error') ? undefined : referenceOf(file);
    if (reference === undefined) return false;
    policies.set(policyText(reference), closedInstead(value, reference));
    unusable.push(...found);
    return true;
  };
  for (const { name: file, text, unreadable } of sources) {
    if (unreadable !== undefined) {
      findings.push(finding('WP001', { file, line: 1, column: 1 }, unreadable, UNREADABLE_FIX));
      continue;
    }
    const { documents, problems } = parseManifest(file, text);
    const broken = problems.map(({ message, ...place }) => finding('WP001', place, message));
    if (standIn(file, undefined, broken)) continue;
    findings.push(...broken);
    for (const document of documents) {
      const read = readPolicy(document, 'default');
      if (read !== undefined) {
        if (standIn(file, document.value, read.findings)) continue;
        findings.push(...read.findings);
        if (read.policy !== undefined) policies.set(policyText(read.policy.reference), read.policy);
      } else {
        readClusterObject(document, store, workloads, findings);
      }
    }
  }
  nameNamespaces(store);
  const pods = new PodDescriber(name).describe(store);
  const identities = new Map(pods.map(({ identity, labelSet }) => [identity, labelSet]));
  const cluster = new PolicyClusterView(name, false).read(store, identities);
  const all = [...policies.values()];
  return { engine: new PolicyEngine(all, cluster), pods, nodes: store.list('Node'), policies: all, findings, unusable };
}

/** Of a policy in a cluster's state: `…/NetworkPolicy/shop/db.yaml`. Undefined for other kinds. */
function referenceOf(file: string): PolicyReference | undefined {
  const [kind, namespace, name] = file
    .replace(/\.yaml$/, '')
    .split('/')
    .slice(-3);
  if (!kind || !namespace || !name || !Object.hasOwn(POLICY_KIND, kind)) return undefined;
  const clusterwide = kind === 'CiliumClusterwideNetworkPolicy';
  return { kind: kind as PolicyKind, namespace: clusterwide ? '' : namespace, name };
}

/** The same cluster with these policies too, each in the place of one of its name. */
export function withPolicies(read: ReadCluster, policies: readonly Policy[]): ReadCluster {
  const merged = new Map([...read.policies, ...policies].map((policy) => [policyText(policy.reference), policy]));
  return underPolicies(read, [...merged.values()]);
}

export function withoutPolicies(read: ReadCluster, policies: readonly Policy[]): ReadCluster {
  return underPolicies(
    read,
    read.policies.filter((policy) => !policies.includes(policy)),
  );
}

function underPolicies(read: ReadCluster, policies: readonly Policy[]): ReadCluster {
  return { ...read, policies, engine: new PolicyEngine(policies, read.engine.cluster) };
}

function readClusterObject(
  document: ManifestDocument,
  store: ObjectStore,
  workloads: boolean,
  findings: Finding[],
): void {
  const { value } = document;
  const kind = isMap(value) ? (value as { kind?: unknown }).kind : undefined;
  if (workloads && (typeof kind !== 'string' || kind === '') && looksLikeObject(value)) {
    // A policy whose kind is misspelt away must not pass for sound beside others.
    findings.push(
      finding('WP002', document.place([]), 'an object without a kind', 'write what it is, as its first lines'),
    );
    return;
  }
  const known = KINDS.find((candidate) => candidate === kind);
  const manifest = workloads ? (podOfWorkload(value) ?? value) : value;
  const meant: Kind | undefined = manifest === value ? known : 'Pod';
  if (meant === undefined) return;
  try {
    store.set(readObject(meant, completed(meant, manifest as Manifest)));
  } catch (error) {
    if (!(error instanceof ObjectError)) throw error;
    findings.push(finding('WP002', document.place([]), `${meant}: ${error.message}`));
  }
}

interface Manifest {
  readonly metadata?: { readonly namespace?: string };
  readonly spec?: { readonly nodeName?: string };
}

/** With what the API server would fill in. */
function completed(kind: Kind, manifest: Manifest): unknown {
  const { metadata, spec } = manifest;
  const namespace = isClusterScoped(kind) ? {} : { namespace: metadata?.namespace ?? 'default' };
  const placed = kind === 'Pod' && isMap(spec) ? { spec: { ...spec, nodeName: spec.nodeName ?? UNPLACED } } : {};
  return { ...manifest, ...(isMap(metadata) ? { metadata: { ...metadata, ...namespace } } : {}), ...placed };
}

/** Others, such as values of a chart, may lie in the same folder. */
function looksLikeObject(value: unknown): boolean {
  return isMap(value) && ['apiVersion', 'metadata', 'spec'].some((field) => Object.hasOwn(value, field));
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every namespace there is has its name as a label, whether its object is among the manifests or not. */
function nameNamespaces(store: ObjectStore): void {
  const names = new Set([
    ...store.list('Pod').map(({ metadata }) => metadata.namespace),
    ...store.list('Namespace').map(({ metadata }) => metadata.name),
  ]);
  for (const name of names) {
    const known = store.get('Namespace', '', name)?.metadata;
    const labels = { ...known?.labels, [NAMESPACE_NAME_LABEL]: name };
    const bare = { name, namespace: '', uid: '', annotations: {}, ownerReferences: [] };
    store.set({ kind: 'Namespace', metadata: { ...bare, ...known, labels } });
  }
}
