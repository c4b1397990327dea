import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { ApiError } from '#runtime/kubernetes/api-error.ts';
import { apiServerObstacle, TestApiServer } from '#runtime/testing/api-server.ts';

const BIN = join(import.meta.dirname, '../bin.mjs');
const obstacle = apiServerObstacle();
if (obstacle !== undefined) console.warn(`SKIPPED: waggle install against a real API server: ${obstacle}`);

// No kubelet runs here: what one would report is written into the objects' status.
describe.skipIf(obstacle !== undefined)('waggle install, status and uninstall', { timeout: 120_000 }, () => {
  let server: TestApiServer;
  let admin: ApiClient;
  beforeAll(async () => {
    server = await TestApiServer.start({ directory: mkdtempSync(join(tmpdir(), 'waggle-install-')) });
    admin = await server.client();
  }, 120_000);
  afterAll(async () => {
    admin?.close();
    await server?.remove();
  });

  const waggle = (...argv: string[]) => waggleAt('bees', server.kubeconfig, ...argv);

  function waggleAt(namespace: string, kubeconfig: string, ...argv: string[]) {
    return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const all = [BIN, ...argv, '--kubeconfig', kubeconfig, '-n', namespace];
      const child = execFile(process.execPath, all, { timeout: 60_000 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
      said = '';
      child.stderr?.on('data', (text: string) => {
        said += text;
      });
    });
  }
  /** What the latest command has said so far. */
  let said = '';
  const set = (name: string) => `/apis/apps/v1/namespaces/bees/daemonsets/${name}`;
  const setStatus = (path: string, status: object) =>
    admin.request('PATCH', `${path}/status`, { contentType: 'application/merge-patch+json', body: { status } });
  const missing = async (path: string) => {
    const error = await admin.request('GET', path).catch((reason: unknown) => reason);
    return error instanceof ApiError && error.status === 404;
  };

  test('a dry run changes nothing', async () => {
    const { code, stdout } = await waggle('status', '--kubernetes');
    expect([code, stdout]).toEqual([1, 'Waggle is not installed in namespace bees: waggle install does that\n']);
    // The server checks objects of a namespace only where it is there.
    await admin.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'bees' } } });
    const dry = await waggle('install', '--dry-run');
    expect(dry.stderr).toContain('DaemonSet waggle-agent: would be applied');
    expect(dry.code).toBe(0);
    expect(await missing(set('waggle-agent'))).toBe(true);
  });

  test('installs with certificates, again without new ones', async () => {
    const first = await waggle('install', '--wait', '0s', '--cluster-name', 'hive', '--policy-audit');
    expect(first.stderr).toMatch(
      /certificate: waggle-ca\ncertificate: waggle-agent-tls\ncertificate: waggle-backend-tls\n/,
    );
    expect(first.code).toBe(0);
    const agent = JSON.stringify(await admin.request('GET', set('waggle-agent')));
    expect(agent).toContain('--cluster-name=hive');
    expect(agent).toContain('--policy-audit');
    const backend = JSON.stringify(
      await admin.request('GET', '/apis/apps/v1/namespaces/bees/deployments/waggle-backend'),
    );
    expect(backend).toContain('--agent-tls-server-name=agent.bees.waggle.internal');
    const again = await waggle('install', '--wait', '0s');
    expect(again.stderr).not.toContain('certificate:');
    expect(again.code).toBe(0);
  });

  test('says what is desired, what is ready, and why not more', async () => {
    await setStatus(set('waggle-agent'), {
      ...{ currentNumberScheduled: 3, numberMisscheduled: 0, observedGeneration: 1 },
      ...{ desiredNumberScheduled: 3, numberReady: 1, updatedNumberScheduled: 3 },
    });
    for (const node of ['node-1', 'node-2']) {
      const name = `waggle-agent-${node}`;
      const labels = { 'app.kubernetes.io/name': 'waggle', 'app.kubernetes.io/component': 'agent' };
      await admin.request('POST', '/api/v1/namespaces/bees/pods', {
        body: { metadata: { name, labels }, spec: { nodeName: node, containers: [{ name: 'agent', image: 'x' }] } },
      });
      await setStatus(`/api/v1/namespaces/bees/pods/${name}`, {
        phase: 'Pending',
        containerStatuses: [
          {
            ...{ name: 'agent', image: 'x', imageID: '', ready: false, restartCount: 4 },
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, message: 'waggle: eBPF cannot be used here' } },
          },
        ],
      });
    }
    const { code, stdout } = await waggle('status', '--kubernetes');
    expect(code).toBe(1);
    expect(stdout).toBe(`PART      DESIRED   UPDATED   READY   STATE
agent     3         3         1       degraded
backend   2         0         0       not ready

  agent: 2× agent: CrashLoopBackOff, ended with 1: waggle: eBPF cannot be used here (node-1, node-2)
`);
    const json = JSON.parse((await waggle('status', '--kubernetes', '-o', 'json')).stdout) as { parts: unknown[] };
    expect(json.parts).toHaveLength(2);
  });

  test('says what only events tell: pods that are not made, and what pods wait for', async () => {
    const path = '/api/v1/namespaces/bees/pods/waggle-agent-node-2';
    await setStatus(path, {
      containerStatuses: [
        {
          ...{ name: 'agent', image: 'x', imageID: '', ready: false, restartCount: 0 },
          ...{ state: { waiting: { reason: 'ContainerCreating' } }, lastState: null },
        },
      ],
    });
    const warn = (kind: string, name: string, reason: string, message: string, lastTimestamp: string) =>
      admin.request('POST', '/api/v1/namespaces/bees/events', {
        body: {
          metadata: { generateName: 'e-' },
          ...{ involvedObject: { kind, name, namespace: 'bees' }, type: 'Warning', reason, message, lastTimestamp },
        },
      });
    const bpf = 'MountVolume.SetUp failed for volume "bpf" : mkdir /sys/fs/bpf/waggle: operation not permitted';
    await warn('Pod', 'waggle-agent-node-2', 'FailedMount', 'something older', '2026-01-01T00:00:00Z');
    await warn('Pod', 'waggle-agent-node-2', 'FailedMount', bpf, '2026-01-02T00:00:00Z');
    const refusal = 'pods "waggle-agent-x" is forbidden: violates PodSecurity "baseline:latest": host namespaces';
    await warn('DaemonSet', 'waggle-agent', 'FailedCreate', refusal, '2026-01-02T00:00:00Z');
    const { stdout } = await waggle('status', '--kubernetes');
    expect(stdout).toContain(
      `agent: ContainerCreating, FailedMount: ${bpf} (the node has no BPF file system: mount -t bpf bpf /sys/fs/bpf) (node-2)\n`,
    );
    expect(stdout).toContain(
      `agent: 1 pod is not made: FailedCreate: ${refusal} (the namespace does not admit them: ` +
        'kubectl label namespace bees pod-security.kubernetes.io/enforce=privileged)\n',
    );
  });

  test('tells a cluster whose pods agents would not see', async () => {
    server.kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'cilium', namespace: 'kube-system', labels: { 'k8s-app': 'cilium' } },
        spec: {
          selector: { matchLabels: { a: 'b' } },
          template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
        },
      }),
    );
    const { stdout } = await waggle('status', '--kubernetes');
    expect(stdout).toMatch(/Cilium's own datapath carries the pods: install with agents off/);
  });

  test("tells Calico's eBPF dataplane where it passes by the agents, and not where it does not", async () => {
    const group = 'crd.projectcalico.org';
    const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    const names = { plural: 'felixconfigurations', singular: 'felixconfiguration', kind: 'FelixConfiguration' };
    const apply = (object: object) => server.kubectl(['apply', '-f', '-'], JSON.stringify(object));
    apply({
      ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
      metadata: { name: `felixconfigurations.${group}` },
      spec: {
        ...{ group, names, scope: 'Cluster' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    });
    server.kubectl(['wait', '--for=condition=Established', `crd/felixconfigurations.${group}`, '--timeout=60s']);
    const said = async (spec: object) => {
      const settings = { apiVersion: `${group}/v1`, kind: names.kind, metadata: { name: 'default' }, spec };
      // What is established is served a moment later.
      await vi.waitFor(() => apply(settings), { timeout: 30_000, interval: 200 });
      return (await waggle('status', '--kubernetes')).stdout;
    };
    const text = /Calico's eBPF dataplane hands packets to pods past .* set bpfRedirectToPeer: Disabled/;
    expect(await said({ bpfEnabled: true })).toMatch(text);
    expect(await said({ bpfEnabled: true, bpfRedirectToPeer: 'Disabled' })).not.toMatch(/Calico/);
    expect(await said({ bpfEnabled: false })).not.toMatch(/Calico/);
    server.kubectl(['delete', 'crd', `felixconfigurations.${group}`, '--wait=false']);
  });

  test('breaks nothing of others, and changes nothing then', async () => {
    const before = server.kubectl(['get', 'clusterrolebinding', 'waggle-agent', '-o', 'json']);
    const second = await waggleAt('wasps', server.kubeconfig, 'install', '--wait', '0s');
    expect([second.code, second.stderr]).toEqual([1, expect.stringMatching(/installed in namespace bees/)]);
    expect(await missing('/api/v1/namespaces/wasps')).toBe(true);
    const release = 'meta.helm.sh/release-name';
    server.kubectl(['annotate', 'clusterrolebinding', 'waggle-agent', `${release}=hive`]);
    expect((await waggle('install', '--wait', '0s')).stderr).toMatch(/helm upgrade -n bees hive /);
    server.kubectl(['annotate', 'clusterrolebinding', 'waggle-agent', `${release}-`]);
    const unversioned = (text: string) => ({ ...JSON.parse(text), metadata: undefined });
    const after = server.kubectl(['get', 'clusterrolebinding', 'waggle-agent', '-o', 'json']);
    expect(unversioned(after)).toEqual(unversioned(before));
  });

  test('says who may install', async () => {
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    await admin.request('POST', accounts, { body: { metadata: { name: 'nobody' } } });
    const { status } = await admin.request<{ status: { token: string } }>('POST', `${accounts}/nobody/token`, {
      body: { spec: {} },
    });
    const config = JSON.parse(server.kubectl(['config', 'view', '--raw', '-o', 'json']));
    config.users = config.users.map(({ name }: { name: string }) => ({ name, user: { token: status.token } }));
    const kubeconfig = join(mkdtempSync(join(tmpdir(), 'waggle-nobody-')), 'config');
    writeFileSync(kubeconfig, JSON.stringify(config));
    const { code, stderr } = await waggleAt('bees', kubeconfig, 'install', '--wait', '0s');
    expect(code).toBe(1);
    expect(stderr).toMatch(/namespaces "bees" is forbidden.* as cluster-admin is\n$/);
    rmSync(dirname(kubeconfig), { recursive: true });
  });

  test('uninstalls nodes first, then everything', async () => {
    const labels = { 'app.kubernetes.io/name': 'waggle', 'app.kubernetes.io/component': 'cleanup' };
    const container = { name: 'cleanup', image: 'x' };
    await admin.request('POST', '/api/v1/namespaces/bees/pods', {
      body: { metadata: { name: 'stuck', labels }, spec: { nodeName: 'node-9', containers: [container] } },
    });
    const state = { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "x"' } };
    await setStatus('/api/v1/namespaces/bees/pods/stuck', {
      containerStatuses: [{ ...container, imageID: '', ready: false, restartCount: 0, state }],
    });
    const leaving = waggle('uninstall', '--wait', '60s');
    await vi.waitFor(async () => expect(await missing(set('waggle-cleanup'))).toBe(false), { timeout: 30_000 });
    const cleaner = JSON.stringify(await admin.request('GET', set('waggle-cleanup')));
    expect(cleaner).toContain('"args":["agent","cleanup","--run-dir","/run/waggle/agent"]');
    expect(cleaner).not.toContain('privileged":true');
    await vi.waitFor(async () => expect(await missing(set('waggle-agent'))).toBe(true), { timeout: 30_000 });
    await vi.waitFor(
      () => expect(said).toContain('waiting: cleanup: ImagePullBackOff: Back-off pulling image "x" (node-9)\n'),
      { timeout: 30_000, interval: 200 },
    );
    // Nothing else goes before the nodes are done.
    expect(await missing('/api/v1/namespaces/bees/secrets/waggle-agent-tls')).toBe(false);
    await setStatus(set('waggle-cleanup'), {
      ...{ currentNumberScheduled: 2, numberMisscheduled: 0, observedGeneration: 1 },
      ...{ desiredNumberScheduled: 2, numberReady: 2 },
    });
    const { code, stdout, stderr } = await leaving;
    expect(stderr).toContain('2 nodes are clean');
    expect(stdout).toMatch(/^Waggle is removed: \d+ objects\n$/);
    expect(code).toBe(0);
    for (const path of [
      set('waggle-cleanup'),
      '/api/v1/namespaces/bees/secrets/waggle-agent-tls',
      '/apis/apps/v1/namespaces/bees/deployments/waggle-backend',
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/waggle-agent',
      '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/waggle-backend',
    ]) {
      expect(await missing(path), path).toBe(true);
    }
    // It was there before.
    const home = await admin.request<{ metadata: { deletionTimestamp?: string } }>('GET', '/api/v1/namespaces/bees');
    expect(home.metadata.deletionTimestamp).toBeUndefined();
  });

  test('leaves a namespace alone that was there before, whatever it admits', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await admin.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'strict', labels } } });
    const refused = await waggleAt('strict', server.kubeconfig, 'install', '--wait', '0s');
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/admits only restricted pods.*kubectl label namespace strict/),
    ]);
    const home = await admin.request<{ metadata: { labels: Record<string, string> } }>(
      'GET',
      '/api/v1/namespaces/strict',
    );
    expect(home.metadata.labels).toMatchObject(labels);
    expect(home.metadata.labels['app.kubernetes.io/part-of']).toBeUndefined();
  });

  test('names what cannot be changed, and a namespace that is on its way out', async () => {
    const match = { matchLabels: { a: 'b' } };
    const template = { metadata: { labels: match.matchLabels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await admin.request('POST', '/apis/apps/v1/namespaces/bees/daemonsets', {
      body: { metadata: { name: 'waggle-agent' }, spec: { selector: match, template } },
    });
    expect((await waggle('install', '--wait', '0s')).stderr).toMatch(
      /DaemonSet\.apps "waggle-agent" is invalid.*immutable.*delete that object, and run this again\n$/,
    );
    // Without a controller it stays on its way.
    await waggle('uninstall', '--leave-nodes');
    await admin.request('DELETE', '/api/v1/namespaces/bees');
    expect((await waggle('install', '--wait', '0s')).stderr).toContain(
      'waggle: namespace bees is being deleted: run this again when it is gone\n',
    );
  });
});
