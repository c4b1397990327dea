// Builds the real `hubble` command line from its public Go module, outside the repository, for e2e/hubble.lab.spec.ts.
// Needs Go; takes some minutes. Run: npm run build:hubble-cli
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const VERSION = '1.19.6';
const directory = join(homedir(), '.cache/waggle', `hubble-${VERSION}`);
const binary = join(directory, 'hubble');

if (existsSync(binary)) console.log(`${binary} is there already`);
else {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'go.mod'), 'module hubble-cli\n\ngo 1.24\n');
  const go = (...args: string[]) =>
    execFileSync('go', args, { cwd: directory, stdio: 'inherit', env: { ...process.env, GOFLAGS: '-mod=mod' } });
  go('get', `github.com/cilium/cilium/hubble@v${VERSION}`);
  go('build', '-o', binary, 'github.com/cilium/cilium/hubble');
  console.log(`built ${binary}`);
}
