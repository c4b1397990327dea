import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REPLY } from '#core/flow/direction.ts';
import { InProcessAgent } from '#runtime/testing/in-process-agent.ts';
import { DB, pod, WEB, WORLD } from '#runtime/testing/sample-flows.ts';

const BIN = join(import.meta.dirname, 'bin.mjs');
const podOf = ({ namespace, pod: name, workloadName, address }: typeof WEB) => `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  namespace: ${namespace}
  labels: {app: ${workloadName}, pod-template-hash: 5f7c}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: ${workloadName}-5f7c, controller: true}]
spec: {nodeName: node-1, containers: []}
status: {podIPs: [{ip: ${address}}]}
`;
const policy = (from: string) => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: data}
spec:
  podSelector: {matchLabels: {app: maindb}}
  ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${from}}}}]}]
`;

let folder: string;
let agent: InProcessAgent;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'waggle-diff-'));
  writeFileSync(join(folder, 'cluster.yaml'), [WEB, DB].map(podOf).join('---\n'));
  for (const from of ['shop', 'elsewhere']) writeFileSync(join(folder, `${from}.yaml`), policy(from));
  agent = new InProcessAgent('node-1');
  await agent.start();
  agent.observe(
    {},
    { source: DB, destination: WEB, sourcePort: 3306, destinationPort: 41_000, reply: REPLY.REPLY },
    // A pod that is gone, of a workload that is there.
    { source: pod('shop', 'web', 'node-2', '10.0.2.7', 'old') },
    { source: WORLD, destination: WEB, destinationPort: 8080 },
  );
});

afterAll(async () => {
  await agent.stop();
  rmSync(folder, { recursive: true });
});

function diff(file: string, ...more: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return diffOf(['cluster.yaml'], '-f', join(folder, file), ...more);
}

function diffOf(cluster: string[], ...more: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const files = cluster.map((name) => join(folder, name));
  return new Promise((resolve) => {
    const argv = [BIN, 'policy', 'diff', '-m', ...files, '--server', agent.address, ...more];
    execFile(process.execPath, argv, { timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}

test('who talks now and would be cut off, with exit code 1', async () => {
  const { code, stdout } = await diff('elsewhere.yaml');
  expect(code).toBe(1);
  expect(stdout).toContain('would be cut off');
  expect(stdout).toMatch(/shop\/web → data\/maindb, TCP 3306 {3}\d flows?/);
  expect(stdout).toContain('closed by NetworkPolicy data/db');
  expect(stdout).not.toContain('TCP 8080');
});

test('nobody is cut off by a policy that allows who talks; as JSON', async () => {
  const { code, stdout } = await diff('shop.yaml', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ counts: { 'cut-off': 0, 'let-in': 0 }, changes: [] });
  expect(JSON.parse(stdout).connections).toBeGreaterThanOrEqual(2);
});

test('a deletion lets in whom the policy kept out, and what else is applied at once counts too', async () => {
  const gone = await diffOf(['cluster.yaml', 'elsewhere.yaml'], '--delete', 'netpol/data/db');
  expect(gone.code).toBe(0);
  expect(gone.stdout).toMatch(/would be let in \(\d\):\n {2}shop\/web → data\/maindb, TCP 3306/);
  const replaced = await diffOf(
    ['cluster.yaml', 'shop.yaml'],
    ...['--delete', 'NetworkPolicy/data/db', '-f', join(folder, 'elsewhere.yaml'), '--json'],
  );
  expect(replaced.code).toBe(1);
  expect(JSON.parse(replaced.stdout)).toMatchObject({
    policies: [{ kind: 'NetworkPolicy', namespace: 'data', name: 'db' }],
    deleted: [{ kind: 'NetworkPolicy', namespace: 'data', name: 'db' }],
  });
});

test.each([
  [['--delete', 'netpol/data/dv'], 'there is no NetworkPolicy data/dv: there are db'],
  [['--delete', 'constructor/data/db'], '"constructor/data/db" is not kind/namespace/name'],
  [['--delete', 'ccnp/data/db'], '"ccnp/data/db" is not kind/namespace/name'],
  [[], 'with -f, --delete or both'],
])('%j is refused', async (argv, message) => {
  const { code, stderr } = await diffOf(['cluster.yaml', 'shop.yaml'], ...argv);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test('what cannot be told has an exit code of its own', async () => {
  const missing = await diff('missing.yaml');
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('missing.yaml')]);
  const silent = await diff('shop.yaml', '--server', '127.0.0.1:1');
  expect([silent.code, silent.stderr]).toEqual([2, expect.stringContaining('--server')]);
});
