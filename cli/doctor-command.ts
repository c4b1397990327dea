import { Command, Option } from 'commander';
import type { Check } from './doctor/check.ts';

const MARKS = { ok: '✓', limited: '–', missing: '✗' };

/** `waggle doctor`: what Waggle needs on this machine, and the fix for what is missing. Exit code 1 when it cannot run here. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'checks what Waggle needs on this machine; exits with 1 when something is missing that it cannot run without',
    )
    .addOption(new Option('-o, --output <format>', 'what to print').choices(['table', 'json']).default('table'))
    .action(async ({ output }: { output: 'table' | 'json' }) => {
      const checks = await runChecks();
      const usable = checks.every(({ status }) => status !== 'missing');
      process.stdout.write(
        output === 'json' ? `${JSON.stringify({ usable, checks }, null, 2)}\n` : table(checks, usable),
      );
      if (!usable) process.exitCode = 1;
    });
}

async function runChecks(): Promise<Check[]> {
  const [{ kernelChecks }, { portChecks }, { programChecks }] = await Promise.all([
    import('./doctor/kernel-checks.ts'),
    import('./doctor/port-checks.ts'),
    import('./doctor/program-checks.ts'),
  ]);
  return [...programChecks(), ...kernelChecks(), ...(await portChecks())];
}

function table(checks: readonly Check[], usable: boolean): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, status, detail, fix }) => {
    const line = `${MARKS[status]} ${name.padEnd(width)}  ${detail}`;
    return fix === '' ? [line] : [line, `  ${' '.repeat(width)}  → ${fix}`];
  });
  const verdict = usable ? 'Waggle can run here.' : 'Waggle cannot run here until the points marked ✗ are fixed.';
  return `${lines.join('\n')}\n\n${verdict}\n${allPackages(checks)}`;
}

/** One command for what is missing, beside those for each. */
function allPackages(checks: readonly Check[]): string {
  const missing = checks.filter(({ status }) => status === 'missing');
  const packages = new Set(missing.flatMap(({ fix }) => /^apt-get install (\S+)$/.exec(fix)?.[1] ?? []));
  return packages.size > 1 ? `Its packages at once: apt-get install -y ${[...packages].join(' ')}\n` : '';
}
