import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, missingPackages, SYSTEM_PACKAGES } from '../../scripts/system-packages.mjs';
import { type Check, limited, missing, ok } from './check.ts';

const ROOT = join(import.meta.dirname, '../..');
const PURPOSES: Record<string, string> = { test: 'npm test', bench: 'npm run bench' };

/** Node, the programs and libraries of the system, and what is built from the sources. */
export function programChecks(): Check[] {
  const checks = [nodeVersion()];
  const absent = missingPackages('bench');
  for (const entry of SYSTEM_PACKAGES) {
    const { name, why, neededFor, provides } = entry;
    if (!absent.includes(entry)) checks.push(ok(name, provides.map((what) => findProgram(what) ?? what).join(', ')));
    else if (neededFor === 'run') checks.push(missing(name, `${why}; not installed`, `apt-get install ${name}`));
    else
      checks.push(limited(name, `only for ${PURPOSES[neededFor]}: ${why}; not installed`, `apt-get install ${name}`));
  }
  const bpftool = findProgram('bpftool');
  checks.push(
    bpftool === undefined
      ? limited('bpftool', 'only to look at programs and maps by hand; not installed', 'apt-get install bpftool')
      : ok('bpftool', bpftool),
    built('eBPF object', 'build/bpf/waggle.bpf.o', 'npm run build:bpf'),
    built('page', 'dist/web/index.html', 'npm run build:web'),
  );
  return checks;
}

function nodeVersion(): Check {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= 24
    ? ok('node', `${process.version}, ${process.execPath}`)
    : missing('node', `${process.version} cannot run TypeScript directly`, 'npm ci');
}

function built(name: string, path: string, command: string): Check {
  return existsSync(join(ROOT, path))
    ? ok(name, path)
    : limited(name, `${path} is not built yet; npm start does it`, command);
}
