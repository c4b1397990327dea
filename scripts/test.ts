/**
 * Every check of the project, one after the other: types, lint, then the specs by what they need (vitest.config.ts). The last
 * line counts them. Run by `npm test`, which sets up what they need first.
 *
 *     node scripts/test.ts [project…]     only these: types, lint, unit, api, kernel, lab, e2e, browser
 */
import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { isThere } from './system-packages.mjs';

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

interface Step {
  readonly name: string;
  /** Minutes after which it is stopped and counted as failed: three times what it takes, for a slower machine. */
  readonly minutes: number;
  /** Left out of a run of everything, which has to fit a quarter of an hour. */
  readonly onlyWhenAsked?: boolean;
  readonly run: (signal: AbortSignal) => Promise<Count>;
}

const ROOT = join(import.meta.dirname, '..');
const BIN = join(ROOT, 'node_modules/.bin');

const STEPS: readonly Step[] = [
  { name: 'types', minutes: 5, run: (signal) => check('tsc', ['--noEmit', '-p', '.'], signal) },
  { name: 'lint', minutes: 3, run: (signal) => check('biome', ['ci', '--error-on-warnings'], signal) },
  { name: 'unit', minutes: 9, run: (signal) => specs('unit', signal) },
  { name: 'api', minutes: 9, run: (signal) => specs('api', signal) },
  { name: 'kernel', minutes: 9, run: (signal) => specs('kernel', signal) },
  { name: 'lab', minutes: 14, run: (signal) => specs('lab', signal) },
  { name: 'e2e', minutes: 6, run: (signal) => specs('e2e', signal) },
  { name: 'browser', minutes: 20, onlyWhenAsked: true, run: (signal) => specs('browser', signal) },
];

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !STEPS.some((step) => step.name === name));
if (unknown !== undefined) {
  console.error(`waggle: no tests are called "${unknown}": ${STEPS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => interrupt.abort());

const total: Count = { passed: 0, failed: 0, skipped: 0 };
for (const step of STEPS) {
  if (interrupt.signal.aborted || (asked.length > 0 ? !asked.includes(step.name) : step.onlyWhenAsked)) continue;
  const started = Date.now();
  const limit = AbortSignal.timeout(step.minutes * 60_000);
  const count = await step.run(AbortSignal.any([interrupt.signal, limit]));
  if (limit.aborted) {
    console.log(`waggle: ${step.name} was stopped after ${step.minutes} minutes`);
    count.failed++;
  }
  console.log(`waggle: ${step.name}: ${sentence(count)} in ${((Date.now() - started) / 1_000).toFixed(1)} s`);
  total.passed += count.passed;
  total.failed += count.failed;
  total.skipped += count.skipped;
}
if (interrupt.signal.aborted) console.log('waggle: interrupted; not everything was run');
console.log(sentence(total));
process.exit(total.failed > 0 || interrupt.signal.aborted ? 1 : 0);

/** A tool that is right or not: one test. */
async function check(tool: string, argv: string[], signal: AbortSignal): Promise<Count> {
  const code = await run(tool, argv, signal);
  return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

async function specs(project: string, signal: AbortSignal): Promise<Count> {
  const files =
    project === 'unit' ? [] : globSync(`**/*.${project}.spec.ts`, { cwd: ROOT, exclude: ['node_modules/**'] });
  if (project !== 'unit' && files.length === 0) return { passed: 0, failed: 0, skipped: 0 };
  const obstacle = project === 'unit' ? undefined : await obstacleTo(project);
  if (obstacle !== undefined) {
    console.log(`waggle: ${project}: ${files.length} files are skipped: ${obstacle}`);
    return { passed: 0, failed: 0, skipped: files.length };
  }
  const folder = mkdtempSync(join(tmpdir(), 'waggle-test-'));
  try {
    const report = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const code = await run('vitest', ['run', '--project', project, ...reporters], signal);
    return countReport(report, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Why the specs of a project cannot run here. */
async function obstacleTo(project: string): Promise<string | undefined> {
  if (process.platform !== 'linux') return `eBPF needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'they need root';
  const { probeKernel } = await import('../bpf-agent/loader/kernel-support.ts');
  const { usable, reason } = probeKernel();
  if (!usable) return `eBPF cannot be used here: ${reason}`;
  if (['e2e', 'browser'].includes(project) && !isThere('chromium')) return 'chromium is not installed';
  return undefined;
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { name: string; status: string; assertionResults: readonly { status: string }[] }[];
}

function countReport(path: string, code: number): Count {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  // A file that failed outside of its tests (an import, a hook) has none that failed.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  for (const { name } of broken) console.log(`waggle: ${relative(ROOT, name)} failed outside of its tests`);
  const failed = report.numFailedTests + broken.length;
  return {
    passed: report.numPassedTests,
    // Whatever else made it fail, an unhandled error for one.
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function run(tool: string, argv: string[], signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    // A group of its own, so that stopping it also stops what it started.
    const child = spawn(join(BIN, tool), argv, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], detached: true });
    const end = (how: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, how);
      } catch {
        // It is gone already.
      }
    };
    let patience: NodeJS.Timeout | undefined;
    const stop = () => {
      end('SIGTERM');
      // Its own cleaning up (labs, mounts) gets time.
      patience = setTimeout(() => end('SIGKILL'), 20_000);
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    child.on('error', (error) => {
      console.error(`waggle: ${tool} cannot be started: ${error.message}`);
      resolve(127);
    });
    child.on('exit', (code) => {
      clearTimeout(patience);
      signal.removeEventListener('abort', stop);
      resolve(code ?? 1);
    });
  });
}

function sentence({ passed, failed, skipped }: Count): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
