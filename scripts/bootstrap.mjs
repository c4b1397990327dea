// From a bare clone to a running command: `node scripts/bootstrap.mjs start|test|bench|soak [arguments]`, which is what
// `npm start` and the others run. Plain JavaScript for Node 20, without dependencies: it is what installs them.
import { spawn } from 'node:child_process';
import { accessSync, existsSync, constants as permission, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundledNode } from '../runtime/bundled-node.mjs';
import { missingPackages } from './system-packages.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = [20, 19];

const TASKS = {
  start: { purpose: 'run', builds: ['bpf', 'web'], command: ['cli/waggle.ts', 'demo'] },
  test: { purpose: 'test', builds: ['bpf', 'web'], command: ['scripts/test.ts'] },
  bench: { purpose: 'bench', builds: ['bpf', 'web'], command: ['cli/waggle.ts', 'bench'] },
  soak: { purpose: 'bench', builds: ['bpf', 'web'], command: ['scripts/soak.ts'] },
};

// With `npm start -- --help` nothing needs to be set up but the dependencies.
const [name, ...rest] = process.argv.slice(2);
const task = TASKS[name];
if (task === undefined) fail(`expected one of ${Object.keys(TASKS).join(', ')}`);
checkNode();
await installDependencies();
if (!rest.includes('--help')) {
  const builds = observes() ? task.builds : task.builds.filter((target) => target !== 'bpf');
  if (observes()) await installSystemPackages(task.purpose);
  for (const target of builds) await build(target);
}
handOver([...task.command, ...rest]);

/** Whether the task will load eBPF: the demo replays a recording where it cannot, and then needs nothing for it. */
function observes() {
  if (name !== 'start') return true;
  return process.platform === 'linux' && process.getuid() === 0 && !rest.includes('--replay');
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  fail(
    `Node ${OLDEST_NODE.join('.')} or newer is needed, this is ${process.version}: install one from https://nodejs.org`,
  );
}

async function installDependencies() {
  if (dependenciesAreThere()) return;
  checkWritable();
  // `npm run` says which npm it is; a bare `node scripts/bootstrap.mjs` takes the one in PATH.
  const npm = process.env.npm_execpath;
  const [command, prefix] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  await step('installing dependencies (npm ci)', command, [...prefix, 'ci', '--loglevel=error', '--no-progress'], {
    fix: 'check the network and the npm registry, then run "npm ci" to see all it says',
  });
  if (!dependenciesAreThere()) {
    fail(
      `Node 24 did not come with the dependencies for ${process.platform}-${process.arch}: run "npm ci" without --omit=optional`,
    );
  }
}

/** npm's own words for a folder that it cannot write to speak of something else. */
function checkWritable() {
  for (const dir of [root, join(root, 'node_modules')].filter((path) => existsSync(path))) {
    try {
      accessSync(dir, permission.W_OK);
    } catch ({ code }) {
      fail(`${dir} cannot be written to (${code}): set up a clone in a folder that is yours and not read-only`);
    }
  }
}

/** True when what is installed is what the lock file says, by npm's own record of what it installed. */
function dependenciesAreThere() {
  const wanted = lockedPackages('package-lock.json');
  const installed = lockedPackages('node_modules/.package-lock.json');
  if (installed === undefined || node24() === undefined) return false;
  return Object.entries(wanted ?? {}).every(
    ([path, { version, optional, link }]) =>
      path === '' || link || (optional && !installed[path]) || installed[path]?.version === version,
  );
}

function lockedPackages(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

async function installSystemPackages(purpose) {
  if (process.platform !== 'linux') return;
  const missing = missingPackages(purpose);
  if (missing.length === 0) return;
  const names = missing.map((entry) => entry.name);
  const command = `apt-get install -y ${names.join(' ')}`;
  const debian = existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get');
  if (!debian || process.getuid() !== 0) {
    const list = missing.map((entry) => `  ${entry.name.padEnd(16)} ${entry.why}`).join('\n');
    const how = debian ? `run: sudo ${command}` : 'install what your distribution calls them (the names are Debian’s)';
    const text = `these system packages are missing:\n${list}\n${how}`;
    // The tests that need them are skipped, the demo replays a recording, and both say so; everything else cannot go on.
    if (purpose === 'test' || name === 'start') say(text);
    else fail(text);
    return;
  }
  // A machine that was just started may be installing its own updates.
  const install = ['-o', 'DPkg::Lock::Timeout=120', 'install', '-y', '--no-install-recommends', ...names];
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    fix: `run "${command}" to see all it says`,
    // The demo names what is still missing, and replays a recording.
    mayFail: name === 'start',
  };
  // Package lists are often there and good enough; fetching them takes longer than most installations.
  if (
    await step(`installing system packages: ${names.join(' ')}`, 'apt-get', ['-qq', ...install], {
      ...options,
      mayFail: true,
    })
  )
    return;
  // Where one of several sources is out of reach, the others may do.
  await step('fetching package lists', 'apt-get', ['-qq', 'update'], { ...options, mayFail: true });
  await step(`installing system packages: ${names.join(' ')}`, 'apt-get', ['-qq', ...install], options);
}

async function build(target) {
  if (target === 'bpf') {
    if (process.platform !== 'linux') return;
    await step('building the eBPF programs', node24(), [join(root, 'scripts/build-bpf.ts')], {
      quiet: true,
      mayFail: name === 'test' || name === 'start',
      fix: 'see above',
    });
  } else {
    await step('building the page', node24(), [join(root, 'scripts/build-web.ts')], { quiet: true, fix: 'see above' });
  }
}

/**
 * Runs one step with a line when it begins, one every 15 s and one at its end; its output is shown only when it fails.
 * `quiet` leaves the lines out when the step is over within a second: there was nothing to do.
 */
async function step(title, command, argv, { fix, env, mayFail = false, quiet = false }) {
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1_000)} s`;
  let announced = false;
  const announce = () => {
    if (!announced) say(`${title} …`);
    announced = true;
  };
  const first = setTimeout(announce, quiet ? 1_000 : 0);
  const beat = setInterval(() => say(`${title}: still running after ${seconds()}`), 15_000);
  const { code, output } = await run(command, argv, env);
  clearTimeout(first);
  clearInterval(beat);
  if (code === 0) {
    if (announced) say(`${title}: done in ${seconds()}`);
    return true;
  }
  if (mayFail) {
    if (announced) say(`${title}: failed after ${seconds()}${firstError(output)}`);
    return false;
  }
  process.stderr.write(output.endsWith('\n') || output === '' ? output : `${output}\n`);
  return fail(`${title} failed: ${fix}`);
}

/** What apt and others begin with "E:" or "error:", for one line. */
function firstError(output) {
  const line = output.split('\n').find((text) => /^\s*(?:E|err|error|fatal)\b.*:/i.test(text));
  return line === undefined ? '' : `: ${line.trim().slice(0, 300)}`;
}

function run(command, argv, env = process.env) {
  return new Promise((resolve) => {
    const child = spawn(command, argv, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (text) => {
      output = (output + text).slice(-20_000);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => resolve({ code: 127, output: `${command}: ${error.message}\n` }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** A path, or undefined: the dependencies are not there. */
function node24() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  return bundledNode(root);
}

function handOver(argv) {
  const child = spawn(node24(), argv, { cwd: root, stdio: 'inherit' });
  // The command cleans up on its own; this process only waits for it. Ctrl-C in a terminal reaches the whole group by itself.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  // npm that is killed or hung up on takes nobody with it; what it started would be left running with nobody to stop it.
  const parent = process.ppid;
  const orphaned = () => process.ppid !== parent && child.kill('SIGHUP');
  if (process.env.npm_lifecycle_event !== undefined) setInterval(orphaned, 1_000).unref();
  child.on('error', (error) => fail(`${node24()} cannot be started: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}

function say(line) {
  process.stderr.write(`waggle: ${line}\n`);
}

function fail(line) {
  say(line);
  process.exit(1);
}
