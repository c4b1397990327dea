import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { installPlugin, uninstallPlugin } from './install-plugin.ts';

let folder: string;
let places: { binDir: string; confDir: string };
let plugin: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waggle-cni-'));
  places = { binDir: join(folder, 'bin'), confDir: join(folder, 'net.d') };
  plugin = join(folder, 'plugin');
  for (const path of [places.confDir, plugin]) mkdirSync(path);
  writeFileSync(join(plugin, 'waggle-cni'), 'node=$here/node\n');
  writeFileSync(join(plugin, 'waggle-cni.mjs'), '// bundle\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const conf = (name: string) => join(places.confDir, name);
const list = (...types: string[]) => ({ cniVersion: '1.0.0', name: 'k8s', plugins: types.map((type) => ({ type })) });
const types = (name: string) =>
  (JSON.parse(readFileSync(conf(name), 'utf8')) as { plugins: { type: string }[] }).plugins.map(({ type }) => type);

test('is put at the end of the first list, once, with a Node of its own, and taken out again', () => {
  const before = JSON.stringify(list('bridge', 'portmap'));
  writeFileSync(conf('10-net.conflist'), before, { mode: 0o600 });
  writeFileSync(conf('20-other.conflist'), JSON.stringify(list('macvlan')));
  for (let round = 0; round < 2; round++) installPlugin(places, plugin, '/run/waggle/agent/agent.sock');
  expect(types('10-net.conflist')).toEqual(['bridge', 'portmap', 'waggle-cni']);
  expect(types('20-other.conflist')).toEqual(['macvlan']);
  expect(statSync(conf('10-net.conflist')).mode & 0o777).toBe(0o600);
  expect(readdirSync(places.binDir).sort()).toEqual(['waggle-cni', 'waggle-cni-node', 'waggle-cni.mjs']);
  expect(readFileSync(join(places.binDir, 'waggle-cni'), 'utf8')).toBe('node=$here/waggle-cni-node\n');
  expect(uninstallPlugin(places)).toEqual([conf('10-net.conflist')]);
  expect(JSON.parse(readFileSync(conf('10-net.conflist'), 'utf8'))).toEqual(JSON.parse(before));
  expect(readdirSync(places.binDir)).toEqual([]);
});

test.for([
  ['no network', {}, /has no network yet/],
  ['a single plugin', { '10-a.conf': '{}' }, /10-a.conf is a single plugin: make it a .conflist/],
  ['a broken list', { '10-a.conflist': '{' }, /10-a.conflist cannot be read/],
  ['a list that is none', { '10-a.conflist': '{"plugins": 1}' }, /has no list of plugins/],
] as const)('%s is left as it is', ([, files, message]) => {
  for (const [name, content] of Object.entries(files)) writeFileSync(conf(name), content);
  expect(() => installPlugin(places, plugin, '/x')).toThrow(message);
  expect(existsSync(places.binDir)).toBe(false);
  for (const [name, content] of Object.entries(files)) expect(readFileSync(conf(name), 'utf8')).toBe(content);
});
