import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatProblem } from '#core/manifest/document.ts';
import { readManifests } from './read-manifests.ts';
import { readSources } from './read-sources.ts';

let folder = '';
const path = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'waggle-sources-'));
  const namespace = (name: string) => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`;
  mkdirSync(path('good/below'), { recursive: true });
  writeFileSync(path('good/b.yaml'), namespace('b'));
  writeFileSync(path('good/a.json'), '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}');
  writeFileSync(path('good/notes.txt'), 'not looked at');
  writeFileSync(path('good/below/c.yaml'), namespace('c'));
  mkdirSync(path('mixed'));
  mkdirSync(path('mixed/folder.yaml'));
  mkdirSync(path('empty'));
  writeFileSync(path('mixed/good.yaml'), namespace('good'));
  writeFileSync(path('mixed/binary.yaml'), Uint8Array.of(0xff, 0xfe, 0, 1));
  writeFileSync(path('mixed/large.yaml'), '#'.repeat(8 * 1024 * 1024 + 1));
  symlinkSync('/nowhere', path('mixed/dangling.yaml'));
  symlinkSync(path('mixed/circle.yaml'), path('mixed/circle.yaml'));
  execFileSync('mkfifo', [path('mixed/pipe.yaml')]);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a folder gives its manifests in order of name, not those of folders below', () => {
  const { manifests, problems } = readManifests(readSources([path('good')]));
  expect(problems).toEqual([]);
  expect(manifests.map(({ name }) => name)).toEqual(['a', 'b']);
});

test('what cannot be read is told, and the rest is read', () => {
  const { manifests, problems } = readManifests(readSources([path('mixed'), path('absent.yaml'), path('empty')]));
  expect(manifests.map(({ name }) => name)).toEqual(['good']);
  expect(problems.map((problem) => formatProblem(problem).slice(folder.length + 1))).toEqual([
    'mixed/binary.yaml: is not UTF-8 text',
    'mixed/circle.yaml: is a link that leads back to itself',
    'mixed/dangling.yaml: no such file or folder',
    'mixed/folder.yaml: is not a file',
    'mixed/large.yaml: is larger than 8 MiB, the most that is read of one file',
    'mixed/pipe.yaml: is not a file',
    'absent.yaml: no such file or folder',
    'empty: holds no .yaml, .yml or .json file',
  ]);
});

test('a source without an end is read no further than a manifest may be long', () => {
  expect(readSources(['/dev/zero'])).toEqual([
    { name: '/dev/zero', text: '', unreadable: expect.stringContaining('larger than 8 MiB') },
  ]);
});

test.for(['-', '/dev/stdin'])('a pipe named %s is read to its end, however slowly it comes', (name) => {
  const script = `import { readSources } from './lab/manifest/read-sources.ts';
    process.stdout.write(readSources(['${name}'])[0].text);`;
  const shell = '(printf kind; sleep 0.1; printf ": Pod") | "$0" --input-type=module --eval "$1"';
  const cwd = join(import.meta.dirname, '../..');
  expect(execFileSync('sh', ['-c', shell, process.execPath, script], { cwd, encoding: 'utf8' })).toBe('kind: Pod');
});
