import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Check } from './doctor/check.ts';

const BIN = join(import.meta.dirname, 'bin.mjs');
const commands = readdirSync(import.meta.dirname)
  .map((file) => /^([a-z]+)-command\.ts$/.exec(file)?.[1])
  .filter((name) => name !== undefined);

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function waggle(
  argv: string[],
  { node = process.execPath, env = {} }: { node?: string; env?: Record<string, string> } = {},
) {
  return new Promise<Outcome>((resolve) => {
    execFile(node, [BIN, ...argv], { env: { ...process.env, ...env }, timeout: 55_000 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}

describe('the waggle command', () => {
  test('lists every command that there is', async () => {
    const { code, stdout } = await waggle(['--help']);
    expect(code).toBe(0);
    const listed = [...stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name);
    expect(listed.filter((name) => name !== 'help').sort()).toEqual([...commands].sort());
  });

  test.for(commands)('%s explains itself', async (name) => {
    const { code, stdout } = await waggle([name, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: waggle ${name} `));
    expect((await waggle(['help', name])).stdout).toBe(stdout);
  });

  test('refuses a command that there is not', async () => {
    const { code, stderr } = await waggle(['observ']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/unknown command 'observ'[\s\S]*observe/);
  });

  test('refuses a bad setting by its name, from flag and variable alike', async () => {
    const flag = await waggle(['demo', '--listen', 'nonsense']);
    expect(flag.code).toBe(2);
    expect(flag.stderr).toMatch(/--listen.*'nonsense'.*host:port/);
    const variable = await waggle(['demo'], { env: { WAGGLE_LISTEN: 'nonsense' } });
    expect(variable.code).toBe(2);
    expect(variable.stderr).toMatch(/WAGGLE_LISTEN.*host:port/);
  });

  test('points to the help of the verb that was not understood', async () => {
    const { code, stdout, stderr } = await waggle(['policy', 'diff', '--no-such-flag']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe("error: unknown option '--no-such-flag'\n(waggle policy diff --help says what is possible)\n");
  });

  test('says of an unknown scenario which there are', async () => {
    const { code, stderr } = await waggle(['demo', 'nonsense']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^waggle: there is no scenario "nonsense"; there are .*guestbook/m);
  });
});

describe('waggle doctor', () => {
  test('gives each missing thing its fix, and says so in its exit code', async () => {
    const { code, stdout } = await waggle(['doctor', '-o', 'json']);
    const { usable, checks } = JSON.parse(stdout) as { usable: boolean; checks: Check[] };
    expect(code).toBe(usable ? 0 : 1);
    expect(usable).toBe(checks.every(({ status }) => status !== 'missing'));
    expect(checks.filter(({ status, fix }) => (status === 'ok') !== (fix === ''))).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual(expect.arrayContaining(['node', 'clang', 'kernel', 'port 12000']));
  });

  test('sees that a port is taken', async () => {
    const server = createServer();
    // Taken by us, or by whoever was faster.
    await new Promise<void>((resolve) => server.once('error', () => resolve()).listen(4_245, '127.0.0.1', resolve));
    const { stdout } = await waggle(['doctor']);
    await new Promise((resolve) => server.close(resolve));
    expect(stdout).toMatch(/^– port 4245 .*127\.0\.0\.1:4245 is already in use/m);
    expect(stdout).toMatch(/WAGGLE_GRPC_LISTEN/);
  });
});
