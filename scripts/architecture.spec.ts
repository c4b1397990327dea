import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { parseSync } from 'vite';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

// Who may import whom, among the folders at the top. Every folder may import itself. dependency-cruiser would be the usual tool,
// but it cannot read TypeScript with the native compiler installed.
const MAY_IMPORT: Record<string, readonly string[]> = {
  proto: [],
  core: ['proto'],
  runtime: ['core', 'proto'],
  'bpf-agent': ['core', 'runtime', 'proto'],
  backend: ['core', 'runtime', 'proto'],
  web: ['core', 'proto'],
  lab: ['core', 'runtime', 'proto'],
  cli: ['core', 'runtime', 'proto', 'bpf-agent', 'backend', 'lab', 'bench', 'scripts'],
  // Measures every part, the page's layout included.
  bench: ['core', 'runtime', 'proto', 'bpf-agent', 'backend', 'lab', 'web', 'scripts'],
  e2e: ['core', 'runtime', 'proto', 'lab', 'scripts'],
  scripts: ['bpf-agent', 'core', 'runtime', 'proto', 'lab'],
};

// core makes no I/O: nothing that reads files, sockets, clocks of the system or the environment.
const CORE_LIBRARIES = ['@bufbuild/cel', '@bufbuild/protobuf', '@bufbuild/re2', '@noble/hashes', 'ipaddr.js', 'yaml'];

// Cases for specs of several folders, made at random.
const CASE_GENERATORS = ['core/policy/generated-case.ts', 'core/hubble/filter/generated-filters.ts'];

interface Import {
  readonly file: string;
  readonly target: string;
}

const files = globSync(`{${Object.keys(MAY_IMPORT).join(',')}}/**/*.{ts,tsx}`, { cwd: ROOT });
const imports = files.flatMap((file) => importsOf(file));

describe('the folders', () => {
  test('are looked at', () => {
    expect(imports.length).toBeGreaterThan(100);
  });

  test.for(Object.entries(MAY_IMPORT))('%s imports only what it may', ([folder, allowed]) => {
    const wrong = imports
      .filter(({ file, target }) => topFolder(file) === folder && isOurs(target))
      .filter(({ target }) => topFolder(target) !== folder && !allowed.includes(topFolder(target)))
      .filter(({ file, target }) => !isTestSupport(file, target))
      .map(({ file, target }) => `${file} imports ${target}`);
    expect(wrong).toEqual([]);
  });

  test('core is pure: no Node modules, and only libraries that make no I/O', () => {
    const wrong = imports
      .filter(({ file, target }) => topFolder(file) === 'core' && !isOurs(target) && !isSpec(file))
      .filter(({ file, target }) => !(CASE_GENERATORS.includes(file) && target === 'fast-check'))
      .filter(({ target }) => !CORE_LIBRARIES.some((library) => target === library || target.startsWith(`${library}/`)))
      .map(({ file, target }) => `${file} imports ${target}`);
    expect(wrong).toEqual([]);
  });

  test('name each other by #folder, themselves by relative paths', () => {
    const wrong = imports
      .filter(({ target }) => isOurs(target))
      .filter(({ file, target }) => target.startsWith('#') === (topFolder(target) === topFolder(file)))
      // Scripts are no part others build on, so they have no such name.
      .filter(({ file, target }) => topFolder(target) !== 'scripts' && topFolder(file) !== 'scripts')
      .map(({ file, target }) => `${file} imports ${target}`);
    expect(wrong).toEqual([]);
  });
});

test('no file imports itself by way of others, types included', () => {
  expect(circles()).toEqual([]);
});

/** Each circle once, as the files on it. */
function circles(): string[] {
  const targets = Map.groupBy(
    imports.map(({ file, target }) => ({ file, target: target.replace(/^#/, '') })),
    ({ file }) => file,
  );
  const found: string[] = [];
  const way: string[] = [];
  const onWay = new Set<string>();
  const done = new Set<string>();
  function follow(file: string): void {
    if (done.has(file)) return;
    if (onWay.has(file)) {
      found.push([...way.slice(way.indexOf(file)), file].join(' → '));
      return;
    }
    onWay.add(file);
    way.push(file);
    for (const { target } of targets.get(file) ?? []) follow(target);
    way.pop();
    onWay.delete(file);
    done.add(file);
  }
  for (const file of targets.keys()) follow(file);
  return found;
}

function importsOf(file: string): Import[] {
  const code = readFileSync(join(ROOT, file), 'utf8');
  const { module, errors } = parseSync(file, code, {});
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const dynamic = module.dynamicImports
    .map(({ moduleRequest: { start, end } }) => code.slice(start, end))
    // Computed ones cannot be judged here.
    .filter((text) => /^['"]/.test(text))
    .map((text) => text.slice(1, -1));
  const targets = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
    ...dynamic,
  ];
  return targets.map((target) => ({
    file,
    target: target.startsWith('.') ? normalize(join(dirname(file), target)) : target,
  }));
}

function isOurs(target: string): boolean {
  return target.startsWith('#') || topFolder(target) in MAY_IMPORT;
}

function topFolder(path: string): string {
  return path.replace(/^#/, '').split(sep, 1)[0] ?? '';
}

function isSpec(file: string): boolean {
  return /\.(?:spec|test)\.tsx?$/.test(file);
}

/** Specs may build what they need: the datapath's object, the page. */
function isTestSupport(file: string, target: string): boolean {
  return isSpec(file) && topFolder(target) === 'scripts';
}
