import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { HUBBLE_CLI, hubble } from './hubble-cli.ts';
import { Lab } from './lab.ts';
import { waggleOk } from './waggle.ts';

// A node's flows in files, as its agent's settings ask for them, until they were rotated.

const MASK = 'time,verdict,IP,l4,source.pod_name,source.namespace,destination.pod_name,destination.namespace,is_reply';

let directory: string;
let lab: Lab;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'waggle-export-lab-'));
  lab = await Lab.up({
    nodes: 1,
    env: {
      WAGGLE_EXPORT_FILE: join(directory, 'flows.log'),
      WAGGLE_EXPORT_FILE_MAX_SIZE: '16Ki',
      WAGGLE_EXPORT_FILE_BACKUPS: '2',
      WAGGLE_EXPORT_ALLOWLIST: '{"event_type":[{"type":4}]}',
      WAGGLE_EXPORT_DENYLIST: '{"destination_port":["53"]}{"source_port":["53"]}',
      WAGGLE_EXPORT_FIELD_MASK: MASK,
    },
  });
  await lab.scenario('guestbook');
  await lab.running(3);
});

afterAll(async () => {
  await lab?.down();
  rmSync(directory, { recursive: true, force: true });
});

interface Exported {
  readonly flow?: {
    readonly time: string;
    readonly l4?: { readonly TCP?: { readonly destination_port?: number }; readonly UDP?: object };
    readonly source?: object;
  };
  readonly node_name: string;
}

test('are put aside as they grow, and hold what was asked for', async () => {
  const files = ['flows.log.2', 'flows.log.1', 'flows.log'];
  const inodes = () => files.map((file) => statSync(join(directory, file), { throwIfNoEntry: false })?.ino);
  let texts: string[] = [];
  // They may be put aside while they are read.
  await eventually('two files were put aside, and all three are read', 90_000, () => {
    const before = inodes();
    if (before.includes(undefined)) return false;
    texts = files.map((file) => readFileSync(join(directory, file), 'utf8'));
    return isDeepStrictEqual(inodes(), before);
  });
  expect(readdirSync(directory).filter((file) => !files.includes(file))).toEqual([]);
  // For the owner's eyes.
  for (const file of files.slice(0, 2)) expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
  // The oldest first; the last line may be in the middle of being written.
  const lines = texts.flatMap((text) => text.split('\n').slice(0, -1));
  expect(lines.length).toBeGreaterThan(60);
  const exported = lines.map((line) => JSON.parse(line) as Exported);
  const fields = new Set(MASK.split(',').map((path) => path.split('.')[0]!));
  for (const { flow, node_name } of exported) {
    expect(node_name).toBe(`${lab.name}/node1`);
    expect(Object.keys(flow!).filter((name) => !fields.has(name))).toEqual([]);
    expect(flow!.l4?.UDP).toBeUndefined();
    expect(Object.keys(flow!.source ?? {}).every((name) => ['pod_name', 'namespace'].includes(name))).toBe(true);
  }
  expect(exported.some(({ flow }) => flow?.l4?.TCP?.destination_port === 3306)).toBe(true);
});

test('are read again, by us and by the real command where it was built', async () => {
  const input = readFileSync(join(directory, 'flows.log.1'), 'utf8');
  const args = ['observe', '--input-file', '-', '--to-port', '3306'];
  const ours = await waggleOk(args, { input });
  expect(ours).toMatch(/default\/web2?-\S+:\d+ \(unknown\) -> default\/maindb-\S+:3306 \(unknown\) /);
  if (HUBBLE_CLI === undefined) return;
  const theirs = await hubble('', ['observe', '--input-file', join(directory, 'flows.log.2')]);
  expect(theirs.stdout).toMatch(/default\/maindb-\S+:3306/);
});
