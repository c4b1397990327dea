import type { Datapath } from '#bpf-agent/loader/datapath.ts';
import { toDatapathAddress } from '#bpf-agent/maps/address-bytes.ts';
import { PolicySets } from '#bpf-agent/policy/policy-sets.ts';
import { setContent } from '#bpf-agent/policy/set-content.ts';
import { parseAddress } from '#core/ip/address.ts';
import { assignCidrIdentities } from '#core/policy/cidr-identity.ts';
import { PolicyCompiler } from '#core/policy/compile.ts';
import { PolicyEngine } from '#core/policy/policy-engine.ts';
import { readPolicyObject } from '#core/policy/read-policies.ts';
import { ReasonTable } from '#core/policy/reason.ts';

const FIRST_IDENTITY = 0x4000_0001;

/** A pod for a benchmark: its label `app` is its name. */
export interface BenchPod {
  readonly name: string;
  /** IPv4. */
  readonly address: string;
  readonly interfaceIndex: number;
}

/** Identities and policy for a handful of pods in a datapath, without an agent. */
export class PolicedEndpoints {
  readonly #datapath: Datapath;
  readonly #pods: readonly BenchPod[];
  readonly #sets: PolicySets;
  readonly #reasons = new ReasonTable();
  readonly #identities: ReadonlyMap<string, number>;

  /** @param others names of pods that only policies know */
  constructor(datapath: Datapath, pods: readonly BenchPod[], others: readonly string[] = []) {
    this.#datapath = datapath;
    this.#pods = pods;
    this.#sets = new PolicySets(datapath.maps, []);
    const names = [...pods.map(({ name }) => name), ...others];
    this.#identities = new Map(names.map((name, index) => [name, FIRST_IDENTITY + index]));
    for (const { name, address } of pods) {
      datapath.maps.identities.setAddress(parseAddress(address), this.#identities.get(name)!);
    }
  }

  /** Puts every pod under these NetworkPolicy specs; with none, under no policy at all. Returns the entries written. */
  enforce(specs: readonly object[]): number {
    const policies = specs.map((spec, index) => {
      const metadata = { name: `policy-${index}`, namespace: 'bench' };
      const manifest = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec };
      return readPolicyObject(manifest, metadata.name)!.policy!;
    });
    const labelSets = [...this.#identities].map(
      ([name, number]) =>
        [
          number,
          {
            cluster: 'bench',
            namespace: 'bench',
            namespaceLabels: {},
            podLabels: { app: name },
            serviceAccount: 'default',
            namedPorts: [],
          },
        ] as const,
    );
    const cluster = {
      name: 'bench',
      identities: new Map(labelSets),
      services: [],
      auditedNamespaces: new Set<string>(),
      audit: false,
    };
    const engine = new PolicyEngine(policies, cluster);
    const cidrs = assignCidrIdentities(engine.cidrs(), new Map());
    const compiler = new PolicyCompiler(engine, cidrs);
    const { maps } = this.#datapath;
    let entries = 0;
    for (const [index, { name, address, interfaceIndex }] of this.#pods.entries()) {
      const identity = this.#identities.get(name)!;
      const content = setContent(compiler.compile(identity), cidrs, this.#reasons);
      entries += content.entries.size;
      const peers = { mapped: () => true, exists: () => true };
      const policy = policies.length === 0 ? undefined : { ...this.#sets.put(identity, content, peers), guarded: true };
      maps.endpoints.set(interfaceIndex, {
        id: index + 1,
        identity,
        policy,
        addresses: [toDatapathAddress(parseAddress(address))],
      });
    }
    maps.state.bump();
    return entries;
  }
}

/** Closes `subject` in a direction but for these peers and ports. */
export function allowing(
  subject: string,
  direction: 'ingress' | 'egress',
  rules: readonly { readonly peer: string; readonly port: number }[],
): object {
  const side = direction === 'ingress' ? 'from' : 'to';
  return {
    podSelector: { matchLabels: { app: subject } },
    policyTypes: [direction === 'ingress' ? 'Ingress' : 'Egress'],
    [direction]: rules.map(({ peer, port }) => ({
      [side]: [{ podSelector: { matchLabels: { app: peer } } }],
      ports: [{ port, protocol: 'TCP' }],
    })),
  };
}
