import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatProblem, MAX_MANIFEST_LENGTH } from '#core/manifest/document.ts';
import { readManifests } from './read-manifests.ts';

const read = (text: string) => readManifests([{ name: 'web.yaml', text }]);
const problemsOf = (text: string) => read(text).problems.map(formatProblem);

const POD = `apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: main
      image: waggle.dev/lab/sleep
`;

describe('reading', () => {
  test('takes many documents, lists of lists, and empty documents between', () => {
    const list = `---\n${POD}---\n---\napiVersion: v1\nkind: List\nitems:\n  - {apiVersion: v1, kind: Namespace, metadata: {name: a}}
  - apiVersion: v1\n    kind: NamespaceList\n    items: [{apiVersion: v1, kind: Namespace, metadata: {name: b}}]\n`;
    const { manifests, problems } = read(list);
    expect(problems).toEqual([]);
    expect(manifests.map(({ kind, name }) => `${kind.kind} ${name}`)).toEqual([
      'Pod web',
      'Namespace a',
      'Namespace b',
    ]);
  });

  test('takes JSON', () => {
    const { manifests } = read('{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a","labels":{"x":"y"}}}');
    expect(manifests[0]?.body.metadata).toEqual({ name: 'a', labels: { x: 'y' } });
  });

  test('says each unknown kind once and goes on', () => {
    const secret = (name: string) => `apiVersion: v1\nkind: Secret\nmetadata: {name: ${name}}\n---\n`;
    const { manifests, problems, ignoredKinds } = read(`${secret('a')}${secret('b')}${POD}`);
    expect(problems).toEqual([]);
    expect(manifests).toHaveLength(1);
    expect(ignoredKinds).toEqual([{ kind: 'Secret.v1', count: 2 }]);
  });

  test('refuses a policy that cannot be used, as the agents read it', () => {
    const policy = (spec: string) =>
      `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: db, namespace: shop}\nspec: ${spec}\n`;
    expect(problemsOf(policy('{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}'))).toEqual([]);
    expect(problemsOf(policy('{podSelector: {}, ingres: []}'))).toEqual([
      'web.yaml:4:25: NetworkPolicy db: spec.ingres is no field; did you mean ingress? (WP003)',
    ]);
    // Said once, though both would say it.
    expect(problemsOf(policy('{podSelector: {}}').replace('name: db', 'name: D B'))).toHaveLength(1);
  });

  test('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => void read(text)));
    const yamlish = fc.string({ unit: fc.constantFrom(...'ab:-{}[]&*!|>#\'"%@` \n\t,?'), maxLength: 200 });
    fc.assert(fc.property(yamlish, (text) => void read(text)));
  });

  test('never throws, whatever the values, and puts every problem inside the file', () => {
    const kind = fc.constantFrom('Pod', 'Deployment', 'Service', 'Job', 'NetworkPolicy', 'Namespace');
    const field = fc.constantFrom(
      'name',
      'spec',
      'containers',
      'labels',
      'template',
      'selector',
      'ports',
      'image',
      'env',
    );
    const value = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue({ maxDepth: 1 }),
        fc.dictionary(field, tie('tree'), { maxKeys: 4 }),
        fc.array(tie('tree'), { maxLength: 3 }),
      ),
    })).tree;
    const object = fc.record({
      apiVersion: fc.constantFrom('v1', 'apps/v1', 'batch/v1', 'networking.k8s.io/v1'),
      kind,
      metadata: value,
      spec: value,
    });
    fc.assert(
      fc.property(object, (json) => {
        const text = JSON.stringify(json, null, 1);
        const lines = text.split('\n').length;
        for (const { line, column, message } of read(text).problems) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(message).not.toBe('');
        }
      }),
    );
  });

  test('refuses what nests without end', () => {
    expect(problemsOf('['.repeat(20_000))[0]).toMatch(/^web\.yaml:1:\d+: the manifest is nested too deeply/);
    expect(problemsOf('{a: '.repeat(20_000))[0]).toMatch(/nested too deeply/);
    expect(problemsOf(`a: ${'- '.repeat(20_000)}x`)).toHaveLength(1);
  });

  test('refuses what is too large, and aliases that blow up', () => {
    expect(problemsOf(' '.repeat(MAX_MANIFEST_LENGTH + 1))[0]).toMatch(/^web\.yaml:1:1: .*at most/);
    const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join()}]`);
    expect(problemsOf(`l0: &l0 x\n${levels.join('\n')}\n`)[0]).toMatch(/alias/i);
  });
});

describe('a broken manifest is told by file, line and what is wrong', () => {
  test('when the YAML is broken; the documents around it are still read', () => {
    const { manifests, problems } = read(
      `${POD}---\nkind: Pod\nmetadata: {name: web\n---\n${POD.replace('web', 'other')}`,
    );
    expect(manifests.map(({ name }) => name)).toEqual(['web', 'other']);
    expect(problems).toHaveLength(1);
    expect(problems[0]!.line).toBeGreaterThanOrEqual(11);
    expect(problems[0]!.line).toBeLessThanOrEqual(13);
  });

  test.each([
    ['a key that stands twice', POD.replace('kind: Pod', 'kind: Pod\nkind: Pod'), /^web\.yaml:3:1: .*unique/],
    ['no kind', 'apiVersion: v1\nmetadata: {name: a}', /^web\.yaml:1:1: kind is missing/],
    ['not even a map', '- a\n- b', /^web\.yaml:1:1: must be a map, not a list/],
    [
      'a label that is a number',
      POD.replace('name: web', 'name: web\n  labels:\n    tier: 1'),
      /^web\.yaml:6:11: Pod web: metadata\.labels\.tier must be text, not 1; put it in quotes/,
    ],
    [
      'a name that is none',
      POD.replace('name: web', 'name: Web_1'),
      /^web\.yaml:4:9: Pod Web_1: metadata\.name "Web_1" is not a DNS name/,
    ],
    [
      'no containers',
      `${POD.slice(0, POD.indexOf('  containers'))}  containers: []\n`,
      /^web\.yaml:6:15: Pod web: spec\.containers must hold at least one container/,
    ],
    [
      'an image without a command',
      POD.replace('waggle.dev/lab/sleep', 'nginx:1.27'),
      /^web\.yaml:8:14: Pod web: spec\.containers\[0\]\.image "nginx:1\.27" comes without a command; .*give a command/,
    ],
    [
      'a program that does not exist',
      POD.replace('lab/sleep', 'lab/slep'),
      /^web\.yaml:8:14: .*names no built-in program; there are .*sleep/,
    ],
    [
      'a port out of range',
      `${POD}      ports: [{containerPort: 70000}]\n`,
      /^web\.yaml:9:31: .*ports\[0\]\.containerPort must be a whole number from 1 to 65535, not 70000/,
    ],
    [
      'an env value that is a number',
      `${POD}      env:\n        - name: PORT\n          value: 80\n`,
      /^web\.yaml:11:18: .*env\[0\]\.value must be text, not 80; put it in quotes/,
    ],
    [
      'an env value from elsewhere',
      `${POD}      env:\n        - name: P\n          valueFrom: {secretKeyRef: {name: a, key: b}}\n`,
      /^web\.yaml:11:22: .*valueFrom is resolved by the lab only as fieldRef/,
    ],
    [
      'a kind only the lab makes',
      'apiVersion: v1\nkind: Node\nmetadata: {name: n}',
      /^web\.yaml:2:7: Node n: kind is made by the lab itself/,
    ],
    [
      'a restart policy that is none',
      POD.replace('spec:', 'spec:\n  restartPolicy: Sometimes'),
      /^web\.yaml:6:18: .*must be Always, OnFailure, Never, not "Sometimes"/,
    ],
  ])('%s', (_what, text, expected) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(expected)]);
  });

  test('several faults of one object are all told', () => {
    const text = POD.replace('name: main', 'name: MAIN').replace('waggle.dev/lab/sleep', 'x');
    expect(problemsOf(text)).toHaveLength(2);
  });

  test('a selector that does not select its own pods', () => {
    const text = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: other}}
    spec: {containers: [{name: a, image: waggle.dev/lab/sleep}]}
`;
    expect(problemsOf(text)).toEqual([
      'web.yaml:5:13: Deployment web: spec.selector does not match the labels of spec.template',
    ]);
    expect(problemsOf(text.replace('app: other', 'app: web'))).toEqual([]);
  });

  test('a Service whose ports clash', () => {
    const text = `apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  ports:
    - {name: a, port: 80}
    - {name: a, port: 80}
    - {port: 81}
`;
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^web\.yaml:7:14: .*ports\[1\]\.name "a" is taken/),
      expect.stringMatching(/^web\.yaml:7:23: .*ports\[1\]\.port 80\/TCP stands twice/),
      expect.stringMatching(/^web\.yaml:8:7: .*ports\[2\]\.name is missing/),
    ]);
  });

  test('a Job that would restart for ever', () => {
    const text = `apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    spec: {containers: [{name: a, image: waggle.dev/lab/exit}]}
`;
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^web\.yaml:6:11: .*restartPolicy is missing: a Job needs/),
    ]);
  });
});
