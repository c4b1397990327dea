import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { FolderSource } from '#runtime/cluster/folder-source.ts';
import { Health } from '#runtime/health.ts';
import { createLogger } from '#runtime/log.ts';
import { watchClusterState } from './cluster-state-health.ts';

test('a state that is missing is not ready; a broken object in it is only told', async () => {
  const root = mkdtempSync(join(tmpdir(), 'waggle-state-'));
  const folder = join(root, 'state');
  const source = new FolderSource(folder);
  await source.start();
  const health = new Health();
  const log = createLogger('spec');
  const warned: string[] = [];
  vi.spyOn(log, 'warn').mockImplementation(((fields: { problem: string }) => warned.push(fields.problem)) as never);
  const end = watchClusterState(source, folder, health, log);
  try {
    expect(health.problems()).toMatchObject([{ condition: 'cluster-state', problem: expect.stringContaining(folder) }]);

    mkdirSync(join(folder, 'Pod/shop'), { recursive: true });
    writeFileSync(join(folder, 'Pod/shop/bad.yaml'), '{');
    await vi.waitFor(() => expect(health.ready).toBe(true), { timeout: 15_000, interval: 50 });
    await vi.waitFor(() => expect(warned.some((line) => line.includes('bad.yaml'))).toBe(true), { timeout: 15_000 });
    // Each once, however often it is looked at.
    expect(new Set(warned).size).toBe(warned.length);
  } finally {
    end();
    await source.stop();
    rmSync(root, { recursive: true });
  }
});
