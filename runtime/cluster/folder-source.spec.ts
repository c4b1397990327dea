import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { cpuShare } from '../testing/cpu-share.ts';
import { FolderSource } from './folder-source.ts';
import type { ClusterChange } from './source.ts';

let folder: string;
let source: FolderSource;
let changes: ClusterChange[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waggle-state-'));
  source = new FolderSource(folder);
  changes = [];
  source.onChange((change) => changes.push(change));
});
afterEach(async () => {
  await source.stop();
  await rm(folder, { recursive: true, force: true });
});

async function put(path: string, content: unknown): Promise<string> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  const temporary = join(dirname(file), `.${Math.random()}`);
  await writeFile(temporary, typeof content === 'string' ? content : stringify(content));
  await rename(temporary, file);
  return file;
}

function pod(name: string, labels: Record<string, string> = {}, namespace = 'shop') {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid: `uid-${name}`, labels },
    spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'x', ports: [{ name: 'http', containerPort: 80 }] }] },
    status: { phase: 'Running', podIPs: [{ ip: '10.0.0.5' }, { ip: 'fd00::5' }] },
  };
}

const eventually = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 5 });

describe('the first read', () => {
  test('finds what is there, with what the files leave out filled in', async () => {
    await put('Pod/shop/web.yaml', pod('web'));
    await put('Node/_cluster/node-1.yaml', { kind: 'Node', metadata: { name: 'node-1' } });
    await source.start();
    expect(source.get('Pod', 'shop', 'web')).toEqual({
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'shop', uid: 'uid-web', labels: {}, annotations: {}, ownerReferences: [] },
      spec: {
        nodeName: 'node-1',
        hostNetwork: false,
        serviceAccountName: 'default',
        containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }] }],
      },
      status: { phase: 'Running', podIPs: [{ ip: '10.0.0.5' }, { ip: 'fd00::5' }], containerStatuses: [] },
    });
    expect(source.get('Node', '', 'node-1')?.status.addresses).toEqual([]);
    expect(changes.map(({ kind }) => kind).sort()).toEqual(['Node', 'Pod']);
    expect(source.problems()).toEqual([]);
  });

  test('of a folder that does not exist yet is empty and says so; the folder is picked up when it comes', async () => {
    await rm(folder, { recursive: true });
    await source.start();
    expect(source.list('Pod')).toEqual([]);
    expect(source.problems()).toMatchObject([{ subject: folder }]);
    expect(source.unread).toBe(true);
    await put('Pod/shop/web.yaml', pod('web'));
    await eventually(() => expect(source.get('Pod', 'shop', 'web')).toBeDefined());
    await eventually(() => expect([source.problems(), source.unread]).toEqual([[], false]));
  });

  test('ignores dot-files, unknown kinds and other files', async () => {
    await put('Pod/shop/.web.yaml', pod('web'));
    await put('Pod/shop/readme.txt', 'hello');
    await put('ConfigMap/shop/settings.yaml', { kind: 'ConfigMap', metadata: { name: 'settings' } });
    await source.start();
    expect(changes).toEqual([]);
    expect(source.problems()).toEqual([]);
  });
});

describe('a change', () => {
  test('is told with the old and the new object, within 100 ms', async () => {
    await put('Pod/shop/web.yaml', pod('web'));
    await source.start();
    const delays: number[] = [];
    // The fastest of some: what else the machine does is not ours.
    const best = () => delays.toSorted((a, b) => a - b)[2]! * cpuShare();
    for (let round = 0; round < 10 || (round < 50 && best() >= 100); round++) {
      changes.length = 0;
      await put('Pod/shop/web.yaml', pod('web', { round: String(round) }));
      const written = performance.now();
      await eventually(() => expect(changes).toHaveLength(1));
      delays.push(performance.now() - written);
      expect(changes[0]).toMatchObject({ kind: 'Pod', old: { metadata: { name: 'web' } } });
      expect(source.get('Pod', 'shop', 'web')?.metadata.labels).toEqual({ round: String(round) });
    }
    expect(best()).toBeLessThan(100);
  });

  test('in a namespace that did not exist is seen', async () => {
    await source.start();
    await put('Pod/brand-new/web.yaml', pod('web', {}, 'brand-new'));
    await eventually(() => expect(source.get('Pod', 'brand-new', 'web')).toBeDefined());
  });

  test('that removes a file is told with the old object alone', async () => {
    const file = await put('Pod/shop/web.yaml', pod('web'));
    await source.start();
    changes.length = 0;
    await rm(file);
    await eventually(() => expect(changes).toHaveLength(1));
    expect(changes[0]).toMatchObject({ kind: 'Pod', old: { metadata: { uid: 'uid-web' } } });
    expect(changes[0]?.new).toBeUndefined();
    expect(source.list('Pod')).toEqual([]);
  });

  test('that takes the whole folder away forgets nothing; what is missing when it comes back is gone', async () => {
    const kept = await put('Pod/shop/web.yaml', pod('web'));
    await put('Pod/shop/db.yaml', pod('db'));
    await source.start();
    const away = `${folder}-away`;
    try {
      await rename(folder, away);
      await eventually(() => expect(source.problems()).toMatchObject([{ subject: folder }]));
      expect(source.list('Pod')).toHaveLength(2);
      await rm(join(away, 'Pod/shop/db.yaml'));
    } finally {
      await rename(away, folder);
    }
    await eventually(() => expect(source.list('Pod').map(({ metadata }) => metadata.name)).toEqual(['web']));
    expect(source.problems()).toEqual([]);
    await rm(kept);
    await eventually(() => expect(source.list('Pod')).toEqual([]));
  });

  test('that writes the same content is none', async () => {
    await put('Pod/shop/web.yaml', pod('web'));
    await source.start();
    changes.length = 0;
    await put('Pod/shop/web.yaml', pod('web'));
    await put('Pod/shop/other.yaml', pod('other'));
    await eventually(() => expect(changes).toHaveLength(1));
    expect(changes[0]?.new?.metadata.name).toBe('other');
  });

  test('of hundreds of files at once loses none', async () => {
    await source.start();
    await Promise.all(Array.from({ length: 300 }, (_, index) => put(`Pod/shop/p${index}.yaml`, pod(`p${index}`))));
    await eventually(() => expect(source.list('Pod')).toHaveLength(300));
    expect(changes).toHaveLength(300);
  });
});

describe('a file that cannot be used', () => {
  test.for([
    ['broken YAML', 'kind: Pod\nmetadata: {name: web', /^line 2, column 21: [^\n]+[^:]$/],
    [
      'a wrong type',
      { ...pod('web'), spec: { containers: [{ ports: 'all' }] } },
      /spec\.containers\[0\]\.ports: expected a list/,
    ],
    ['another kind', { ...pod('web'), kind: 'Service' }, /expected Pod, found "Service"/],
    ['another name', pod('other'), /"other" is not the file's name/],
    ['another namespace', pod('web', {}, 'elsewhere'), /"elsewhere" is not the folder's name/],
    [
      'a port that is none',
      { ...pod('web'), spec: { containers: [{ ports: [{ containerPort: 70000 }] }] } },
      /expected a port number/,
    ],
    ['a list', '- 1\n- 2\n', /expected one object/],
    ['nothing in it', '', /expected one object/],
    ['too much in it', ' '.repeat(3_000_000), /3000000 bytes/],
    ['aliases that blow up', aliasBomb(), /alias/i],
    ['nesting without end', '['.repeat(20_000), /./],
    ['nested JSON without end', `{"a":${'['.repeat(200_000)}`, /./],
  ] as const)('because of %s is named, and its last good state stays', async ([, content, message]) => {
    const file = await put('Pod/shop/web.yaml', pod('web', { good: 'yes' }));
    await source.start();
    await put('Pod/shop/web.yaml', content);
    await eventually(() => expect(source.problems()).toHaveLength(1));
    expect(source.problems()[0]?.subject).toBe(file);
    expect(source.problems()[0]?.message).toMatch(message);
    expect(source.get('Pod', 'shop', 'web')?.metadata.labels).toEqual({ good: 'yes' });
    // Mended, the problem goes.
    await put('Pod/shop/web.yaml', pod('web', { good: 'again' }));
    await eventually(() => expect(source.problems()).toEqual([]));
    expect(source.get('Pod', 'shop', 'web')?.metadata.labels).toEqual({ good: 'again' });
  });

  test('names that every object has are taken as they are written', async () => {
    await source.start();
    await put('Pod/shop/web.yaml', `{"__proto__": {"polluted": "yes"}, ${JSON.stringify(pod('web')).slice(1)}`);
    await put('Pod/shop/other.yaml', `__proto__: {polluted: "yes"}\n${JSON.stringify(pod('other')).slice(1, -1)}`);
    await eventually(() => expect(source.get('Pod', 'shop', 'web')).toBeDefined());
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(source.get('Pod', 'shop', '__proto__')).toBeUndefined();
  });

  test('does not keep others from being read', async () => {
    await put('Pod/shop/bad.yaml', '{');
    await put('Pod/shop/web.yaml', pod('web'));
    await source.start();
    expect(source.list('Pod')).toHaveLength(1);
    expect(source.problems()).toHaveLength(1);
  });
});

function aliasBomb(): string {
  const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join()}]`);
  return `kind: Pod\nl0: &l0 x\n${levels.join('\n')}\n`;
}
