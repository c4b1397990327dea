// Adds to package-lock.json the optional packages for other platforms that npm left out. It does so when the registry it asked has
// only some of them (a partial mirror), and `npm ci` then refuses the lock file everywhere. Run after `npm install`:
//
//     node scripts/complete-lock.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LOCK = join(import.meta.dirname, '..', 'package-lock.json');
const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openbsd', 'netbsd', 'win32', 'aix', 'sunos'];
const PROCESSORS = {
  armv7: 'arm',
  arm: 'arm',
  arm64: 'arm64',
  x64: 'x64',
  ia32: 'ia32',
  wasm32: 'wasm32',
  riscv64: 'riscv64',
  ppc64: 'ppc64',
  s390x: 's390x',
  loong64: 'loong64',
};

/** What the lock file lacks: entries by path. */
export function missingEntries(packages) {
  const missing = {};
  for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const there = packages[`${path}/node_modules/${name}`] ?? packages[`node_modules/${name}`];
      if (there === undefined) missing[`node_modules/${name}`] = { version, optional: true, ...platformOf(name) };
    }
  }
  return missing;
}

/** Packages for one platform carry it in their names: `@tailwindcss/oxide-linux-arm-gnueabihf`. */
function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = words.find((word) => SYSTEMS.includes(word));
  const cpu = words.map((word) => PROCESSORS[word]).find((found) => found !== undefined);
  return { ...(cpu && { cpu: [cpu] }), ...(os && { os: [os] }) };
}

if (process.argv[1] === import.meta.filename) {
  const lock = JSON.parse(readFileSync(LOCK, 'utf8'));
  const added = missingEntries(lock.packages);
  const packages = { ...lock.packages, ...added };
  lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${Object.keys(added).length} packages added`);
}
