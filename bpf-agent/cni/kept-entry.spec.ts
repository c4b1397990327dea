import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KeptEntry } from './kept-entry.ts';

const SOCKET = '/run/waggle/agent/agent.sock';
const PATIENCE = { timeout: 20_000, interval: 20 };

let confDir: string;
let restored: string[];
let kept: KeptEntry | undefined;
beforeEach(() => {
  confDir = join(mkdtempSync(join(tmpdir(), 'waggle-kept-')), 'net.d');
  mkdirSync(confDir);
  restored = [];
});
afterEach(() => {
  kept?.stop();
  kept = undefined;
  rmSync(join(confDir, '..'), { recursive: true, force: true });
});

const path = (name: string) => join(confDir, name);
/** As networks write it: whole, in the place of what was there. */
function write(name: string, ...types: string[]): void {
  const draft = path(`.${name}.draft`);
  writeFileSync(draft, JSON.stringify({ cniVersion: '1.0.0', name: 'net', plugins: types.map((type) => ({ type })) }), {
    mode: 0o600,
  });
  renameSync(draft, path(name));
}
const types = (name: string) =>
  (JSON.parse(readFileSync(path(name), 'utf8')) as { plugins: { type: string }[] }).plugins.map(({ type }) => type);
function keep(): KeptEntry {
  kept = new KeptEntry({ confDir, agentSocket: SOCKET, onRestored: (list) => restored.push(list) });
  return kept;
}

test('a list that its network writes anew gets the entry back, each time', async () => {
  write('10-flannel.conflist', 'flannel', 'portmap', 'waggle-cni');
  const entry = keep();
  expect(restored).toEqual([]);
  for (let round = 1; round <= 2; round++) {
    write('10-flannel.conflist', 'flannel', 'portmap', 'bandwidth');
    await vi.waitFor(() => expect(restored).toHaveLength(round), PATIENCE);
    expect(types('10-flannel.conflist')).toEqual(['flannel', 'portmap', 'bandwidth', 'waggle-cni']);
  }
  expect(readFileSync(path('10-flannel.conflist'), 'utf8')).toContain(`"agentSocket": "${SOCKET}"`);
  expect(statSync(path('10-flannel.conflist')).mode & 0o777).toBe(0o600);
  expect(entry.problem).toBe('');
});

test('a network that comes before the one that had it gets it; one that stands behind it is left there', async () => {
  write('20-net.conflist', 'bridge', 'waggle-cni', 'istio-cni');
  keep();
  write('10-new.conflist', 'calico');
  await vi.waitFor(() => expect(restored).toEqual([path('10-new.conflist')]), PATIENCE);
  expect(types('10-new.conflist')).toEqual(['calico', 'waggle-cni']);
  expect(types('20-net.conflist')).toEqual(['bridge', 'waggle-cni', 'istio-cni']);
});

test('where there is no list, or one that cannot be read, it says that new pods are open, until there is one', async () => {
  const entry = keep();
  expect(entry.problem).toMatch(/^new pods are not closed: .* has no network yet/);
  writeFileSync(path('10-net.conflist'), '{');
  await vi.waitFor(() => expect(entry.problem).toMatch(/10-net\.conflist cannot be read/), PATIENCE);
  write('10-net.conflist', 'bridge');
  await vi.waitFor(() => expect(entry.problem).toBe(''), PATIENCE);
  expect(restored).toEqual([path('10-net.conflist')]);
});
