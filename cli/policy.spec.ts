import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RESERVED_IDENTITY } from '#core/identity/reserved.ts';
import { evaluateConnection } from '#core/policy/connection.ts';
import { readSources } from '#lab/manifest/read-sources.ts';
import { findParty, partiesOf } from './policy/find-party.ts';
import { findPolicy } from './policy/policy-name.ts';
import { policyRows } from './policy/policy-rows.ts';
import { readCluster } from './policy/read-cluster.ts';
import { readTestCases, runTestCases } from './policy/test-cases.ts';
import { parseTransport } from './policy/transport.ts';

const BIN = join(import.meta.dirname, 'bin.mjs');
const CLUSTER = `apiVersion: v1
kind: Node
metadata: {name: node1}
spec: {podCIDRs: [10.1.0.0/24]}
status: {addresses: [{type: InternalIP, address: 172.20.0.1}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: db-0, namespace: shop, labels: {app: db}}
spec: {nodeName: node1, containers: []}
status: {podIPs: [{ip: 10.1.0.2}, {ip: "fd00::2"}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: backup, namespace: ops}
spec: {jobTemplate: {spec: {template: {metadata: {labels: {app: backup}}, spec: {containers: []}}}}}
`;
const POLICY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 5432}]
    - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}]
`;

const STARS: Readonly<Record<string, { pod: string; port: number }>> = {
  frontend: { pod: 'stars/frontend', port: 80 },
  backend: { pod: 'stars/backend', port: 6379 },
  client: { pod: 'client/client', port: 9000 },
  'management-ui': { pod: 'management-ui/management-ui', port: 9001 },
};

let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'waggle-policy-'));
  writeFileSync(file('cluster.yaml'), CLUSTER);
  writeFileSync(file('policy.yaml'), POLICY);
  writeFileSync(file('wide.yaml'), POLICY.replace('{app: db}', '{app: nobody}'));
  writeFileSync(file('bad.yaml'), POLICY.replace('ingress', 'ingres'));
  writeFileSync(
    file('cases.yaml'),
    'cases:\n  - {from: shop/web, to: shop/db-0, port: 5432, expect: allowed, because: shop/db}\n' +
      '  - {from: shop/web, to: shop/db-0, port: 80, expect: denied}\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

function waggle(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BIN, 'policy', ...argv], { timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}

const cluster = () => readCluster([{ name: 'all', text: `${CLUSTER}---\n${POLICY}` }], { workloads: true });

describe('the state of a cluster', () => {
  const at = (name: string) => `/state/NetworkPolicy/shop/${name}.yaml`;
  const state = (name: string, text: string) =>
    readCluster(
      [...CLUSTER.split('---\n').map((part, index) => ({ name: `${index}`, text: part })), { name: at(name), text }],
      {
        workloads: false,
      },
    );

  test.each([
    ['a misspelt field', 'WP003', POLICY.replace('ingress', 'ingres')],
    ['no YAML', 'WP001', 'kind: [NetworkPolicy'],
  ])('a policy that cannot be used (%s) is one that closes, and can be named', (_, code, text) => {
    const read = state('db', text);
    expect(read.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(read.unusable.map((found) => found.code)).toContain(code);
    const ends = partiesOf(findParty(read, '192.0.2.1'), findParty(read, 'shop/db-0'));
    expect(evaluateConnection(read.engine, { ...ends, protocol: 6, port: 80 }).verdict).toBe('DROPPED');
    expect(findPolicy(read.policies, 'netpol/shop/db').place).toBeUndefined();
    expect(policyRows(read).map(({ enforcement }) => enforcement)).toEqual(['closed']);
  });

  test('has a name, that selectors may be about', () => {
    const [pod] = CLUSTER.split('---\n').filter((part) => part.includes('db-0'));
    const text = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: own, namespace: shop}
spec:
  endpointSelector: {}
  ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.cluster: mine}}]}]
`;
    const sources = [
      { name: '0', text: pod! },
      {
        name: '1',
        text: pod!.replaceAll('db-0', 'db-1').replace('10.1.0.2', '10.1.0.3').replace('fd00::2', 'fd00::3'),
      },
      { name: '2', text },
    ];
    const verdict = (name: string) => {
      const read = readCluster(sources, { workloads: false, name });
      const ends = partiesOf(findParty(read, 'shop/db-1'), findParty(read, 'shop/db-0'));
      return evaluateConnection(read.engine, { ...ends, protocol: 6, port: 80 }).verdict;
    };
    expect([verdict('mine'), verdict('other')]).toEqual(['FORWARDED', 'DROPPED']);
  });

  test('in manifests it is an error', () => {
    const read = readCluster([{ name: at('db'), text: POLICY.replace('ingress', 'ingres') }], { workloads: true });
    expect([read.findings.map(({ code }) => code), read.unusable]).toEqual([['WP003'], []]);
  });
});

describe('a cluster from manifests', () => {
  test('has workloads as one pod each, and every namespace its name', () => {
    const { pods, findings, policies } = cluster();
    expect(pods.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(['shop/web', 'shop/db-0', 'ops/backup']);
    expect(pods[2]?.labelSet.namespaceLabels).toEqual({ 'kubernetes.io/metadata.name': 'ops' });
    expect(pods[0]?.labelSet.namedPorts).toEqual([{ name: 'http', protocol: 'TCP', port: 80 }]);
    expect([findings, policies.length]).toEqual([[], 1]);
  });

  test('of a state has pods alone', () => {
    expect(readCluster([{ name: 'state', text: CLUSTER }], { workloads: false }).pods.map(({ name }) => name)).toEqual([
      'db-0',
    ]);
  });

  test('with broken parts says which', () => {
    const broken = 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: all}\n---\n{';
    const { findings } = readCluster([{ name: 'b.yaml', text: broken }], { workloads: true });
    expect(findings.map(({ code, line }) => `${code} ${line}`)).toEqual(['WP001 6', 'WP002 1']);
  });
});

describe('an end of a connection', () => {
  test.each([
    ['shop/web', 'shop/web'],
    ['shop/db-0', 'shop/db-0'],
    ['10.1.0.2', 'shop/db-0'],
    ['fd00::2', 'shop/db-0'],
    ['172.20.0.1', 'node:node1'],
    ['node:node1', 'node:node1'],
    ['192.0.2.1', '192.0.2.1'],
  ])('%s is %s', (word, name) => {
    expect(findParty(cluster(), word).name).toBe(name);
  });

  test.each([
    ['web', /is not namespace\/pod/],
    ['shop/nobody', /no pod or workload "nobody" in namespace "shop": there are db-0, web/],
    ['empty/web', /the namespace has no pods/],
    ['node:moon', /no node "moon": there are node1/],
  ])('%s is refused', (word, message) => {
    expect(() => findParty(cluster(), word)).toThrow(message);
  });

  test('meets the other with an address of the same family', () => {
    const read = cluster();
    const bytes = (from: string, to: string) => {
      const { source, destination } = partiesOf(findParty(read, from), findParty(read, to));
      return [source.address?.length, destination.address?.length];
    };
    expect(bytes('2001:db8::1', 'shop/db-0')).toEqual([16, 16]);
    expect(bytes('shop/db-0', '192.0.2.1')).toEqual([4, 4]);
    expect(bytes('shop/web', 'shop/db-0')).toEqual([undefined, 4]);
    expect(bytes('2001:db8::1', '192.0.2.1')).toEqual([undefined, undefined]);
  });

  test('that is an address of the pods’ ranges and no pod’s is unmanaged, as it is to agents', () => {
    const read = cluster();
    expect(findParty(read, '10.1.0.77').identity).toBe(RESERVED_IDENTITY.unmanaged);
    expect(findParty(read, '10.1.1.77').identity).toBe(RESERVED_IDENTITY.world);
  });

  test('that is a node is its own pods’ own node', () => {
    const read = cluster();
    const ends = partiesOf(findParty(read, 'node:node1'), findParty(read, 'shop/db-0'));
    expect(evaluateConnection(read.engine, { ...ends, protocol: 6, port: 1 }).ingress?.reason.kind).toBe('own-node');
  });
});

test.each<[string, string | undefined]>([
  ['80', 'TCP 80'],
  ['53/UDP', 'UDP 53'],
  ['9/sctp', 'SCTP 9'],
  ['icmp/8', 'ICMPv4 type 8'],
  ['icmpv6/128', 'ICMPv6 type 128'],
  ['65536', undefined],
  ['80/icmp', undefined],
  ['icmp/256', undefined],
  ['http', undefined],
])('the port %s is %s', (text, expected) => {
  expect(parseTransport(text)?.text).toBe(expected);
});

describe('test cases', () => {
  test('hold or fail with what came out instead', () => {
    const text = `cases:
  - {from: shop/web, to: shop/db-0, port: 5432, expect: allowed, because: "NetworkPolicy shop/db spec.ingress[0]"}
  - {from: ops/backup, to: shop/db-0, port: 9/udp, expect: allowed, because: "spec.ingress[0]"}
  - {from: 192.0.2.1, to: shop/db-0, port: 5432, expect: audited}
  - {from: shop/gone, to: shop/db-0, port: 5432, expect: allowed}
`;
    const { cases, findings } = readTestCases([{ name: 'c.yaml', text }]);
    expect(findings).toEqual([]);
    const results = runTestCases(cluster(), cases);
    expect(results.map(({ passed }) => passed)).toEqual([true, false, false, false]);
    expect(results[1]?.outcome).toMatch(/^allowed: .*spec\.ingress\[1\]/);
    expect(results[2]?.outcome).toBe('denied: ingress: no rule allows it; closed by NetworkPolicy shop/db');
    expect(results[3]?.outcome).toMatch(/no pod or workload "gone"/);
  });

  test('that are wrong are told by file and line', () => {
    const { findings } = readTestCases([
      {
        name: 'c.yaml',
        text: 'cases:\n  - {from: a/b, to: c/d, port: 80, expect: open}\n  - {from: a/b, port: 0x, expect: denied}\n',
      },
      { name: 'd.yaml', text: 'case: []' },
    ]);
    expect(findings.map(({ file, line, message }) => `${file}:${line} ${message}`)).toEqual([
      'c.yaml:2 cases[0].expect must be allowed, denied, audited, not "open"',
      'c.yaml:3 cases[1].to is missing',
      expect.stringMatching(/^c\.yaml:3 cases\[1\]\.port must be a port/),
      'd.yaml:1 case is no field; did you mean cases?',
      'd.yaml:1 cases is missing',
    ]);
  });
});

test('the scenario “stars” comes to its end state, stage by stage', () => {
  const stages = readSources([join(import.meta.dirname, '../lab/scenarios/stars')]);
  const probes = ['frontend', 'backend', 'client', 'management-ui'].map((name) => STARS[name]!);
  const open = (count: number) => {
    const read = readCluster(stages.slice(0, count), { workloads: true });
    return probes.flatMap((from) =>
      probes.flatMap((to) => {
        const { source, destination } = partiesOf(findParty(read, from.pod), findParty(read, to.pod));
        if (from === to) return [];
        const { verdict } = evaluateConnection(read.engine, { source, destination, protocol: 6, port: to.port });
        return verdict === 'FORWARDED' ? [`${from.pod.split('/')[1]} → ${to.pod.split('/')[1]}`] : [];
      }),
    );
  };
  const toUi = ['frontend', 'backend', 'client'].map((name) => `${name} → management-ui`);
  const fromUi = ['frontend', 'backend', 'client'].map((name) => `management-ui → ${name}`);
  expect(open(1)).toHaveLength(12);
  expect(open(2).sort()).toEqual(toUi.sort());
  expect(open(3).sort()).toEqual([...toUi, ...fromUi].sort());
  expect(open(4).sort()).toEqual([...toUi, ...fromUi, 'frontend → backend'].sort());
  expect(open(5).sort()).toEqual([...toUi, ...fromUi, 'frontend → backend', 'client → frontend'].sort());
});

// Each starts a process or two.
describe('waggle policy', { timeout: 120_000 }, () => {
  test('explains a connection', async () => {
    const { code, stdout } = await waggle(
      ...['explain', '-m', file('cluster.yaml'), '-f', file('policy.yaml')],
      ...['--from', 'shop/web', '--to', 'shop/db-0', '--port', '80'],
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^shop\/web → shop\/db-0 \(10\.1\.0\.2\), TCP 80: DROPPED$/m);
    expect(stdout).toMatch(/ingress denied: no rule allows it; closed by NetworkPolicy shop\/db$/m);
    expect(stdout).toMatch(
      /spec\.ingress\[0\]: from app=web of namespace shop, on TCP 5432 \[another port\] \(.*policy\.yaml:7\)/,
    );
  });

  test('runs cases, and says in its exit code whether all hold', async () => {
    const good = await waggle('test', '-m', file('cluster.yaml'), file('policy.yaml'), '-f', file('cases.yaml'));
    expect(good).toMatchObject({ code: 0, stdout: expect.stringMatching(/2 of 2 hold/) });
    const open = await waggle('test', '-m', file('cluster.yaml'), '-f', file('cases.yaml'));
    expect(open).toMatchObject({ code: 1, stdout: expect.stringMatching(/^FAIL .*cases\.yaml:3 /m) });
  });

  test('validates by file and line, and says in its exit code whether all can be used', async () => {
    const good = await waggle('validate', '-f', file('policy.yaml'));
    expect(good).toMatchObject({ code: 0, stdout: '1 of the policies can be used; 0 errors, 0 warnings\n' });
    const bad = await waggle('validate', '-f', file('policy.yaml'), file('bad.yaml'));
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(
      /bad\.yaml:6:\d+: error WP003: NetworkPolicy db: spec\.ingres is no field; did you mean ingress\?/,
    );
    writeFileSync(file('kindless.yaml'), '# whatever\nmetadata: {name: db}\nspec: {podSelector: {}}\n');
    const kindless = await waggle('validate', '-f', file('policy.yaml'), file('kindless.yaml'));
    expect(kindless.code).toBe(1);
    expect(kindless.stdout).toMatch(/kindless\.yaml:2:1: error WP002: an object without a kind/);
    const absent = await waggle('validate', '-f', file('absent.yaml'));
    expect(absent).toMatchObject({ code: 1, stdout: expect.stringMatching(/no such file.*\n +fix: name a file/) });
    const unmet = ['validate', '-f', file('wide.yaml'), '-m', file('cluster.yaml')];
    expect(await waggle(...unmet)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/wide\.yaml:3:18: warning WP201/),
    });
    expect((await waggle(...unmet, '--strict')).code).toBe(1);
  });

  test('lists policies with whom they select', async () => {
    const { stdout } = await waggle('get', '-m', file('cluster.yaml'), file('policy.yaml'), '-o', 'json');
    expect(JSON.parse(stdout)).toEqual([
      { policy: 'NetworkPolicy shop/db', enforcement: 'enforced', closes: 'ingress', rules: 2, pods: ['shop/db-0'] },
    ]);
  });

  test('refuses a port that is none by the flag’s name, and a lab that is not there', async () => {
    const port = await waggle('explain', '--from', 'a/b', '--to', 'c/d', '--port', 'http');
    expect(port).toMatchObject({ code: 2, stderr: expect.stringMatching(/--port.*'http'.*a port such as 80/) });
    const lab = await waggle('get', '--name', 'no-such-lab');
    expect(lab).toMatchObject({ code: 1, stderr: expect.stringMatching(/no lab "no-such-lab"; start one/) });
  });
});
