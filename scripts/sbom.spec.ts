import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../deploy/sbom.mjs');
const SHA512 = Buffer.alloc(64, 7);

test('an image lists the packages that are in it, each once, with license and hash, and no other', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waggle-sbom-'));
  try {
    const packages = {
      'node_modules/jose': { version: '6.2.17', license: 'MIT', integrity: `sha512-${SHA512.toString('base64')}` },
      'node_modules/@scope/a': { version: '1.0.0-rc.1', license: '(MIT OR Apache-2.0)', dev: true },
      'node_modules/@scope/a/node_modules/jose': { version: '5.0.0', license: 'SEE LICENSE IN LICENSE.md' },
      'node_modules/koffi-win32': { version: '3.0.0', license: 'MIT', optional: true },
    };
    for (const path of Object.keys(packages).slice(0, 3)) {
      mkdirSync(join(folder, path), { recursive: true });
      writeFileSync(join(folder, path, 'package.json'), '{}');
    }
    writeFileSync(join(folder, 'package.json'), '{"name":"waggle","version":"0.1.0","license":"Apache-2.0"}');
    writeFileSync(join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages }));
    const run = () => execFileSync(process.execPath, [SCRIPT, folder], { encoding: 'utf8' });
    const text = run();
    const { metadata, components } = JSON.parse(text);
    expect(metadata.component).toMatchObject({ purl: 'pkg:npm/waggle@0.1.0' });
    expect(components).toMatchObject([
      {
        purl: 'pkg:npm/jose@6.2.17',
        licenses: [{ license: { id: 'MIT' } }],
        hashes: [{ alg: 'SHA-512', content: SHA512.toString('hex') }],
      },
      { name: '@scope/a', purl: 'pkg:npm/%40scope/a@1.0.0-rc.1', licenses: [{ expression: 'MIT OR Apache-2.0' }] },
      { name: 'jose', version: '5.0.0', licenses: [{ license: { name: 'SEE LICENSE IN LICENSE.md' } }] },
    ]);
    expect(components).toHaveLength(3);
    expect(new Set(components.map((one: Record<string, string>) => one['bom-ref'])).size).toBe(3);
    expect(run()).toBe(text);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
