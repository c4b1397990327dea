import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { newMetadata, ObjectStore } from './object-store.ts';
import { StateFolder } from './state-folder.ts';

let dir: string;
let store: ObjectStore;
let folder: StateFolder;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'waggle-state-'));
  store = new ObjectStore();
  folder = new StateFolder(dir, store);
});
afterEach(() => rmSync(dir, { recursive: true }));

test('every object is a file of its own, which changes and goes with it', () => {
  const pod = store.put({ apiVersion: 'v1', kind: 'Pod', metadata: newMetadata({ name: 'web', namespace: 'shop' }) });
  store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: newMetadata({ name: 'shop' }) });
  folder.flush();
  const file = join(dir, 'Pod', 'shop', 'web.yaml');
  expect(parse(readFileSync(file, 'utf8'))).toEqual(pod);
  expect(readdirSync(join(dir, 'Namespace', '_cluster'))).toEqual(['shop.yaml']);

  store.put({ ...pod, spec: { nodeName: 'node1' } });
  folder.flush();
  expect(parse(readFileSync(file, 'utf8'))).toMatchObject({ spec: { nodeName: 'node1' } });
  store.remove(pod);
  folder.flush();
  expect(readdirSync(join(dir, 'Pod', 'shop')), 'nothing temporary stays either').toEqual([]);
});

test('changes are written without being asked to', async () => {
  store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: newMetadata({ name: 'shop' }) });
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(readdirSync(join(dir, 'Namespace', '_cluster'))).toEqual(['shop.yaml']);
});

test('what cannot be written is told, keeps nothing else, and is written once it can be', async () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  // A file where the folder of a kind belongs: as good as a full disk, and sooner made.
  writeFileSync(join(dir, 'Pod'), '');
  store.put({ apiVersion: 'v1', kind: 'Pod', metadata: newMetadata({ name: 'web', namespace: 'shop' }) });
  store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: newMetadata({ name: 'shop' }) });
  expect(() => folder.flush()).toThrow(/state cannot be written: .*done as soon as it can be/);
  expect(readdirSync(join(dir, 'Namespace', '_cluster'))).toEqual(['shop.yaml']);
  rmSync(join(dir, 'Pod'));
  await vi.waitFor(() => expect(readdirSync(join(dir, 'Pod', 'shop'))).toEqual(['web.yaml']), { timeout: 30_000 });
  expect(told).toHaveBeenCalledTimes(1);
  told.mockRestore();
});
