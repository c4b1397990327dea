import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AddressBook } from '#bpf-agent/events/address-book.ts';
import { type Datapath, openDatapath } from '#bpf-agent/loader/datapath.ts';
import { runPacket } from '#bpf-agent/loader/prog-test-run.ts';
import type { PodFinder } from '#bpf-agent/pods/pod-finder.ts';
import { ReasonLog } from '#bpf-agent/policy/reason-log.ts';
import { NodeSync } from '#bpf-agent/sync/node-sync.ts';
import { SyncLoop } from '#bpf-agent/sync/sync-loop.ts';
import { FolderSource } from '#runtime/cluster/folder-source.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import type { Benchmark, Figure } from '../benchmark.ts';
import { quantile } from '../statistics.ts';
import { TCP_SYN, tcpPacket } from '../tcp-packet.ts';

const PODS = 200;
const POLICIES = 50;
const LOOPBACK = 1;
const SHOT = 2;
const LONGEST_MS = 10_000;

export const policyChange: Benchmark = {
  name: 'policy-change',
  about: 'from a policy file put in place to the first packet judged by it, 200 pods on the node',
  needs: ['bpf', 'clang'],
  seconds: { full: 120, quick: 60 },
  async measure(context): Promise<Figure[]> {
    const changes = context.quick ? 20 : 100;
    const folder = mkdtempSync(join(tmpdir(), 'waggle-bench-'));
    context.cleanUp(() => rmSync(folder, { recursive: true, force: true }));
    const datapath = openDatapath({ objectPath: buildBpf(context.progress) });
    context.cleanUp(() => datapath.close());
    writeCluster(folder);
    const source = new FolderSource(folder);
    await source.start();
    context.cleanUp(() => source.stop());
    const nowhere = { read: () => '', write: () => {} };
    const sync = new NodeSync({
      source,
      datapath: unattached(datapath),
      finder: everyPodHasAnInterface(),
      book: new AddressBook('bench'),
      cluster: 'bench',
      node: 'n1',
      reasons: new ReasonLog(nowhere),
      run: nowhere,
      policyAudit: false,
    });
    sync.run();
    const runs: number[] = [];
    const loop = new SyncLoop({
      source,
      run: () => {
        const before = performance.now();
        const awaiting = sync.run();
        runs.push(performance.now() - before);
        return awaiting;
      },
      onRun: (problem) => {
        if (problem !== '') throw new Error(problem);
      },
    });
    context.cleanUp(() => loop.stop());

    let port = 1024;
    const passes = () => {
      port = port === 60_000 ? 1024 : port + 1;
      const packet = tcpPacket({
        source: address(1),
        destination: address(0),
        sourcePort: port,
        destinationPort: 80,
        flags: TCP_SYN,
      });
      const { returned } = runPacket(datapath.programFd('to_endpoint'), { packet, interfaceIndex: LOOPBACK });
      datapath.ring.drain(() => {});
      return returned !== SHOT;
    };
    const took: number[] = [];
    for (let change = 0; change < changes; change++) {
      const open = change % 2 === 0;
      const begun = performance.now();
      writePolicy(folder, 'watched', 'app-0', open ? 'app-1' : 'nobody');
      while (passes() !== open) {
        if (performance.now() - begun > LONGEST_MS) throw new Error('a policy was not enforced within 10 s');
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      took.push(performance.now() - begun);
      // Changes come one by one, as people make them; the loop's pauses between are part of what is measured.
      await new Promise((resolve) => setTimeout(resolve, 150 + (change % 7) * 20));
    }
    return [
      {
        name: 'p99',
        value: quantile(took, 0.99),
        unit: 'ms',
        goal: { atMost: 100 },
        samples: took,
        note: `${PODS} pods of ${PODS} identities under ${POLICIES + 1} policies; a run of the synchronisation takes ${quantile(runs, 0.5).toFixed(0)} ms (p99 ${quantile(runs, 0.99).toFixed(0)})`,
      },
      { name: 'median', value: quantile(took, 0.5), unit: 'ms', samples: took },
    ];
  },
};

function address(pod: number): string {
  return `10.64.${pod >> 8}.${pod & 255}`;
}

function put(folder: string, kind: string, namespace: string, name: string, object: object): void {
  const place = join(folder, kind, namespace);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, `.${name}`), JSON.stringify({ kind, ...object }));
  renameSync(join(place, `.${name}`), join(place, `${name}.yaml`));
}

function writePolicy(folder: string, name: string, subject: string, peer: string): void {
  put(folder, 'NetworkPolicy', 'bench', name, {
    apiVersion: 'networking.k8s.io/v1',
    metadata: { name, namespace: 'bench' },
    spec: {
      podSelector: { matchLabels: { app: subject } },
      ingress: [{ from: [{ podSelector: { matchLabels: { app: peer } } }] }],
    },
  });
}

function writeCluster(folder: string): void {
  put(folder, 'Namespace', '_cluster', 'bench', { metadata: { name: 'bench' } });
  put(folder, 'Node', '_cluster', 'n1', { metadata: { name: 'n1' }, spec: {}, status: {} });
  for (let pod = 0; pod < PODS; pod++) {
    put(folder, 'Pod', 'bench', `pod-${pod}`, {
      metadata: { name: `pod-${pod}`, namespace: 'bench', uid: `uid-${pod}`, labels: { app: `app-${pod}` } },
      spec: { nodeName: 'n1', containers: [] },
      status: { phase: 'Running', podIPs: [{ ip: address(pod) }] },
    });
  }
  for (let policy = 0; policy < POLICIES; policy++) {
    writePolicy(folder, `policy-${policy}`, `app-${2 + policy}`, `app-${(policy * 7) % PODS}`);
  }
  writePolicy(folder, 'watched', 'app-0', 'nobody');
}

/** Pods without processes: the first one is behind the loopback, which packets are run for. */
function everyPodHasAnInterface(): PodFinder {
  const find: PodFinder['find'] = (uids) =>
    new Map(
      uids.map((uid) => {
        const pod = Number(uid.slice('uid-'.length));
        return [uid, { interface: { index: pod === 0 ? LOOPBACK : 1_000_000 + pod, name: `bench${pod}` } }];
      }),
    );
  return { find } as PodFinder;
}

/** The datapath with its maps and no hooks: nothing of this machine is touched. */
function unattached(datapath: Datapath): Datapath {
  const nothing = () => {};
  return {
    ...{ maps: datapath.maps, attached: () => [] },
    ...{ attach: nothing, detach: nothing, takeOver: nothing },
  } as unknown as Datapath;
}
