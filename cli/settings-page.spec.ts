import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { settingsPage } from './settings-page.ts';

const MODULES = import.meta.glob<Record<string, () => Command>>('./*-command.ts');

test('docs/settings.md tells every setting as the commands define it', async () => {
  const commands = await Promise.all(
    Object.entries(MODULES).map(async ([file, load]) => {
      const module = await load();
      const make = module[file.replace(/^\.\/(.*)-command\.ts$/, '$1Command')];
      return make === undefined ? [] : [make()];
    }),
  );
  const byName = commands.flat().sort((a, b) => (a.name() < b.name() ? -1 : 1));
  expect(byName.length).toBeGreaterThan(0);
  await expect(settingsPage(byName)).toMatchFileSnapshot('../docs/settings.md');
});
