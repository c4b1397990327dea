// Builds the real `hubble` command line, Cilium's relay and a command that asks Hubble's own filters from their public Go modules,
// outside the repository, for the specs that run them. Needs Go; takes some minutes. Run: npm run build:hubble-cli
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VERSION = '1.19.6';
const PROGRAMS = ['hubble', 'hubble-relay'];
const directory = join(homedir(), '.cache/waggle', `hubble-${VERSION}`);

const go = (...args: string[]) =>
  execFileSync('go', args, { cwd: directory, stdio: 'inherit', env: { ...process.env, GOFLAGS: '-mod=mod' } });

mkdirSync(directory, { recursive: true });
if (!existsSync(join(directory, 'go.mod'))) {
  writeFileSync(join(directory, 'go.mod'), 'module hubble-cli\n\ngo 1.24\n');
}
for (const program of PROGRAMS) {
  const binary = join(directory, program);
  if (existsSync(binary)) {
    console.log(`${binary} is there already`);
    continue;
  }
  const path = `github.com/cilium/cilium/${program}`;
  go('get', `${path}@v${VERSION}`);
  go('build', '-o', binary, path);
  console.log(`built ${binary}`);
}

const filters = join(directory, 'hubble-filters');
mkdirSync(join(directory, 'filters'), { recursive: true });
copyFileSync(fileURLToPath(new URL('./hubble-filters/main.go', import.meta.url)), join(directory, 'filters/main.go'));
go('build', '-o', filters, './filters');
console.log(`built ${filters}`);
