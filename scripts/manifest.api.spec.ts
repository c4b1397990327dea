import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { apiServerObstacle, findProgram, TestApiServer } from '#runtime/testing/api-server.ts';
import { CHART, MANIFEST, PLATFORMS, plainManifest, renderChart } from './build-manifest.ts';
import { CHART_WAYS, type ChartWay } from './chart-ways.ts';
import { findCrds } from './fetch-crds.ts';

interface Document {
  kind: string;
  metadata: { name: string; namespace?: string };
  rules?: { apiGroups?: string[]; resources?: string[]; verbs: string[] }[];
  data?: Record<string, string>;
  [field: string]: unknown;
}

const documents = (text: string): Document[] =>
  parseAllDocuments(text)
    .map((document) => {
      expect(document.errors).toEqual([]);
      return document.toJS() as Document;
    })
    .filter((document) => document !== null);

/** `agent.cni.binDir` of everything that is not an object with something in it. */
function leaves(values: Record<string, unknown>, prefix = ''): string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    // Taken over as a whole, whatever is in them.
    const whole = ['resources', 'nodeSelector'].includes(key);
    const inner = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
    return inner && !whole ? leaves(value as Record<string, unknown>, `${path}.`) : [path];
  });
}

const noHelm = findProgram('helm') === undefined;
if (noHelm) console.warn('SKIPPED: rendering the chart: there is no helm: node scripts/build-envtest.ts builds it');

const crds = findCrds();
if (crds === undefined) console.warn('SKIPPED: cert-manager and Prometheus operator: node scripts/fetch-crds.ts');

describe('deploy/waggle.yaml', () => {
  const objects = documents(readFileSync(MANIFEST, 'utf8'));

  test.skipIf(noHelm)('is what the chart renders to: node scripts/build-manifest.ts renews it', () => {
    expect(readFileSync(MANIFEST, 'utf8')).toBe(plainManifest());
  });

  test('sets only what there is to set', () => {
    const settings = readFileSync(new URL('../docs/settings.md', import.meta.url), 'utf8');
    const section = (verb: string) => settings.split(`\n## waggle ${verb}\n`)[1]!.split('\n## ')[0]!;
    const workloads = objects.filter(({ kind }) => kind === 'DaemonSet' || kind === 'Deployment');
    expect(workloads).toHaveLength(2);
    for (const { spec } of workloads) {
      const [{ args }] = (spec as { template: { spec: { containers: { args: string[] }[] } } }).template.spec
        .containers;
      const [verb, ...words] = args;
      const flags = words.map((word) => word.split('=')[0]!);
      const known = section(verb!);
      expect(flags.filter((flag) => !known.includes(`| \`${flag} <`) && !known.includes(`| \`${flag}\``))).toEqual([]);
    }
  });

  test('carries no key', () => {
    expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    expect(JSON.stringify(objects)).not.toMatch(/PRIVATE KEY|LS0tLS1CRUdJT/);
  });

  test('gives each part what it needs: no wildcard, nothing written', () => {
    const roles = objects.filter(({ kind }) => kind === 'ClusterRole');
    expect(roles.map(({ metadata }) => metadata.name).sort()).toEqual(['waggle-agent', 'waggle-backend']);
    for (const { rules = [] } of roles) {
      for (const { apiGroups = [], resources = [], verbs } of rules) {
        expect([...apiGroups, ...resources, ...verbs]).not.toContain('*');
        expect(verbs).toEqual(['list', 'watch']);
      }
    }
  });

  test('has no privileged container, and says of each capability what it is for', () => {
    expect(readFileSync(MANIFEST, 'utf8')).not.toMatch(/privileged: true/);
    const chart = readFileSync(new URL('../deploy/helm/waggle/templates/agent.yaml', import.meta.url), 'utf8');
    const added = chart.slice(chart.indexOf('            add:\n')).split('\n').slice(1);
    const lines = added.slice(
      0,
      added.findIndex((line) => !line.startsWith('            - ')),
    );
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) expect(line).toMatch(/^ {12}- [A-Z_]+ +# \S/);
  });
});

describe.skipIf(noHelm)('the chart', () => {
  test.for(CHART_WAYS)('renders $name', ({ values, says, not = [] }) => {
    const text = renderChart(values);
    expect(documents(text).length).toBeGreaterThan(3);
    for (const pattern of says) expect(text).toMatch(pattern);
    for (const pattern of not) expect(text).not.toMatch(pattern);
  });

  test.for(readdirSync(PLATFORMS))('renders for %s, and what it sets stands in it', (name) => {
    const file = join(PLATFORMS, name);
    const text = renderChart({ 'agent.cni.enabled': true }, [file]);
    const values = parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    const set = leaves(values).map((path) =>
      path.split('.').reduce((at, key) => (at as never)[key], values as unknown),
    );
    for (const value of set.flat()) if (typeof value === 'string') expect(text).toContain(value);
  });

  test('has no value that none of these ways sets', () => {
    const set = new Set(CHART_WAYS.flatMap(({ values }) => Object.keys(values)));
    const values = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as Record<string, unknown>;
    expect(leaves(values).filter((path) => !set.has(path))).toEqual([]);
  });

  test.for([
    [{ 'agent.enabled': false }, /nothing to follow/],
    [{ 'agent.servces': 'on' }, /servces/],
    [{ 'tls.method': 'none' }, /method/],
    [{ 'backend.replicas': 0 }, /replicas/],
    [{ 'backend.listen': '0.0.0.0:12000' }, /whoever reaches 0\.0\.0\.0:12000 would see everything: put --auth/],
    [{ 'backend.listen': '127.0.0.1:4245' }, /port 4245/],
    [{ 'backend.listen': '127.0.0.1:70000' }, /port 70000/],
    [{ 'backend.extraArgs': ['--listen=0.0.0.0:12000'] }, /set by backend\.listen/],
    [{ 'backend.hubbleTlsServerName': 'relay.example' }, /backend\.hubbleTlsSecret/],
    [{ 'backend.hubble': ['hubble-relay.kube-system.svc'] }, /backend\/hubble/],
    [{ 'backend.secret': 'Sign_in' }, /backend\/secret/],
    [{ 'backend.frameAncestors': [] }, /frameAncestors/],
    [{ 'agent.maxUnavailable': '0%' }, /maxUnavailable/],
    [{ 'agent.cgroupRoot': '/a: b' }, /cgroupRoot/],
    [{ 'image.agent.repository': 'registry.example/agent:v9' }, /image\/agent\/repository/],
    [{ tls: null }, /missing property 'tls'/],
    [{ 'agent.cni': null }, /missing property 'cni'/],
  ] as const)('refuses %j', ([values, why]) => {
    expect(() => renderChart(values)).toThrow(why);
  });
});

const obstacle = apiServerObstacle() ?? (noHelm ? 'there is no helm' : undefined);
if (obstacle !== undefined) console.warn(`SKIPPED: the chart before a real API server: ${obstacle}`);

describe.skipIf(obstacle !== undefined)('a real API server takes', () => {
  let server: TestApiServer;
  beforeAll(async () => {
    server = await TestApiServer.start({ directory: mkdtempSync(join(tmpdir(), 'waggle-manifest-')) });
    server.kubectl(['create', 'namespace', 'waggle']);
    if (crds === undefined) return;
    server.kubectl(['apply', '--server-side', ...crds.flatMap((path) => ['-f', path])]);
    server.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  }, 120_000);
  afterAll(() => server?.remove());

  const ownKinds = (values: ChartWay['values']) =>
    values['tls.method'] !== 'certManager' && values['serviceMonitor.enabled'] !== true;

  test.for(CHART_WAYS)('the chart $name', ({ values }, { skip }) => {
    if (crds === undefined && !ownKinds(values)) skip();
    const text = renderChart(values);
    const told = server.kubectl(['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'], text);
    expect(told.trim().split('\n')).toHaveLength(documents(text).length);
  });

  test.for(readdirSync(PLATFORMS))('the chart for %s', (name) => {
    const text = renderChart({ 'agent.cni.enabled': true }, [join(PLATFORMS, name)]);
    const told = server.kubectl(['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'], text);
    expect(told.trim().split('\n')).toHaveLength(documents(text).length);
  });

  test('helm install, and renews certificates under the same authority with every upgrade', () => {
    const helm = (...args: string[]) =>
      execFileSync(findProgram('helm')!, [...args, '--namespace', 'hive', '--kubeconfig', server.kubeconfig], {
        encoding: 'utf8',
        env: { ...process.env, HELM_CACHE_HOME: '/tmp', HELM_CONFIG_HOME: '/tmp', HELM_DATA_HOME: '/tmp' },
      });
    const secret = (name: string) => {
      const { data } = JSON.parse(server.kubectl(['get', 'secret', name, '-n', 'hive', '-o', 'json'])) as Document;
      const decoded = Object.entries(data!).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
      return Object.fromEntries(decoded) as Record<'ca.crt' | 'tls.crt', string>;
    };
    expect(helm('install', 'waggle', CHART, '--create-namespace')).toContain('STATUS: deployed');
    const first = secret('waggle-agent-tls');
    helm('upgrade', 'waggle', CHART);
    const second = secret('waggle-agent-tls');
    expect(second['ca.crt']).toBe(first['ca.crt']);
    expect(second['tls.crt']).not.toBe(first['tls.crt']);
    for (const part of ['agent', 'backend']) {
      const certificate = new X509Certificate(secret(`waggle-${part}-tls`)['tls.crt']);
      expect(certificate.checkIssued(new X509Certificate(first['ca.crt']))).toBe(true);
      expect(certificate.subjectAltName).toBe(`DNS:${part}.hive.waggle.internal`);
    }
    helm('rollback', 'waggle', '1');
    helm('uninstall', 'waggle');
    expect(server.kubectl(['get', 'daemonsets,deployments,secrets', '-n', 'hive', '-o', 'name']).trim()).toBe('');
  });

  test('the plain manifest, and certificates made by hand, which its pods wait for', () => {
    const told = server.kubectl(['apply', '--server-side', '--validate=strict', '-f', MANIFEST]);
    expect(told).toContain('daemonset.apps/waggle-agent serverside-applied');
    const script = new URL('../deploy/make-certificates.sh', import.meta.url).pathname;
    server.kubectl(['apply', '--validate=strict', '-f', '-'], execFileSync('sh', [script], { encoding: 'utf8' }));
    const mounted = [...readFileSync(MANIFEST, 'utf8').matchAll(/secretName: ([-\w]+)/g)].map(([, name]) => name!);
    expect(mounted).toHaveLength(2);
    for (const name of mounted) {
      const { data } = JSON.parse(server.kubectl(['get', 'secret', name, '-n', 'waggle', '-o', 'json'])) as Document;
      expect(Object.keys(data!).sort()).toEqual(['ca.crt', 'tls.crt', 'tls.key']);
    }
  });
});
