import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const MAX_FILE_BYTES = 400_000;

function trackedFiles(): string[] {
  const list = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
  return list.split('\0').filter((file) => file !== '' && existsSync(join(ROOT, file)));
}

describe('the repository', () => {
  test('holds no large files', () => {
    const large = trackedFiles()
      .map((file) => ({ file, bytes: statSync(join(ROOT, file)).size }))
      .filter(({ bytes }) => bytes > MAX_FILE_BYTES);
    expect(large).toEqual([]);
  });

  test('says in full under which license it stands', () => {
    const { license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { license: string };
    expect(license).toBe('Apache-2.0');
    expect(readFileSync(join(ROOT, 'LICENSE'), 'utf8')).toMatch(
      /Apache License\s+Version 2\.0.*END OF TERMS AND COND/s,
    );
  });

  test('holds no build output and no dependencies', () => {
    expect(trackedFiles().filter((file) => /^(?:node_modules|dist|build|coverage)\//.test(file))).toEqual([]);
  });

  test('names no registry host in its lock file', () => {
    expect(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved":/);
  });

  test('locks the optional packages of every platform, as npm ci wants (else: node scripts/complete-lock.mjs)', () => {
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`${path}/node_modules/${name}` in lock.packages) && !(`node_modules/${name}` in lock.packages),
      ),
    );
    expect(missing).toEqual([]);
  });

  test('holds the code that its contracts generate', () => {
    const folder = mkdtempSync(join(tmpdir(), 'waggle-generate-'));
    try {
      cpSync(join(ROOT, 'proto'), join(folder, 'proto'), { recursive: true });
      rmSync(join(folder, 'proto/gen'), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
      const env = { ...process.env, PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}` };
      execFileSync('buf', ['generate'], { cwd: join(folder, 'proto'), env, stdio: 'pipe' });
      expect(readTree(join(folder, 'proto/gen'))).toEqual(readTree(join(ROOT, 'proto/gen')));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);
});

describe('the documents', () => {
  const documents = trackedFiles().filter((file) => file.endsWith('.md'));

  test.for(documents)('%s names npm scripts and waggle commands that exist', (file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const code = [...text.matchAll(/```[\s\S]*?```|`[^`\n]+`/g)].map(([match]) => match).join('\n');
    const npmScripts = [...code.matchAll(/\bnpm (?:run )?([a-z][a-z:-]*)/g)].map(([, name]) => name!);
    const builtin = ['ci', 'install', 'i', 'run'];
    expect(npmScripts.filter((name) => !(name in scripts) && !builtin.includes(name))).toEqual([]);

    const commands = [...code.matchAll(/(?:^|[`\n$ ])(?:npx )?waggle ([a-z]+)\b/g)].map(([, name]) => name!);
    const missing = commands.filter((name) => name !== 'help' && !existsSync(join(ROOT, `cli/${name}-command.ts`)));
    expect(missing).toEqual([]);
  });

  test('the list of decisions names each of them', () => {
    const list = readFileSync(join(ROOT, 'docs/adr/README.md'), 'utf8');
    const decisions = readdirSync(join(ROOT, 'docs/adr')).filter((file) => /^\d/.test(file));
    expect(decisions.filter((file) => !list.includes(`](${file})`))).toEqual([]);
  });

  test('ARCHITECTURE.md has a row for each folder that holds code', () => {
    const text = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
    const folders = new Set(trackedFiles().flatMap((file) => /^([a-z][\w-]*)\//.exec(file)?.[1] ?? []));
    expect([...folders].filter((folder) => !text.includes(`| \`${folder}/\` |`))).toEqual([]);
  });

  test.for(documents)('%s links to files that exist', (file) => {
    const text = readFileSync(join(ROOT, file), 'utf8').replace(/```[\s\S]*?```/g, '');
    const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target!);
    const local = links.filter((target) => !/^[a-z]+:/.test(target));
    expect(local.filter((target) => !existsSync(join(ROOT, file, '..', target)))).toEqual([]);
  });
});

/** Content by path. */
function readTree(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    entries
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [relative(folder, path), readFileSync(path, 'utf8')]),
  );
}
