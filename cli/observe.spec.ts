import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Backend, startBackend } from '#backend/start.ts';
import { InProcessAgent } from '#runtime/testing/in-process-agent.ts';
import { DB, WORLD } from '#runtime/testing/sample-flows.ts';
import { filterTokens } from './observe-flags.ts';

const WAGGLE = fileURLToPath(new URL('./waggle.ts', import.meta.url));
const agent = new InProcessAgent('node-1');
let backend: Backend;

beforeAll(async () => {
  await agent.start();
  backend = await startBackend({
    listen: '127.0.0.1:0',
    relayListen: '127.0.0.1:0',
    agents: [agent],
    backoff: { firstMs: 20, mostMs: 50 },
    log: pino({ level: 'silent' }),
  });
  const timeMs = Date.UTC(2026, 10, 21, 9, 26, 56, 123);
  agent.observe(
    { timeMs },
    { timeMs: timeMs + 1, source: DB, destination: WORLD, destinationPort: 53, protocol: 17 },
    { timeMs: timeMs + 2, verdict: 2, dropReason: 133 },
  );
  await vi.waitFor(() => expect(backend.relay.window.end).toBe(3), { timeout: 30_000 });
});
afterAll(async () => {
  await backend.close();
  await agent.stop();
});

interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Runs the command; `onOutput` sees what it has printed so far and may end it. */
function waggle(
  args: string[],
  onOutput?: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void,
  input: string | Uint8Array = '',
) {
  const { WAGGLE_SERVER: _, ...env } = process.env;
  const child = spawn(process.execPath, [WAGGLE, ...args], { stdio: 'pipe', env });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise<Run>((resolve) => {
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      onOutput?.(stdout, (signal) => child.kill(signal));
    });
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('close', (code) => resolve({ stdout, stderr, code }));
  });
}

const ask = (command: string, ...args: string[]) => waggle([command, '--server', backend.relayAddress, ...args]);

describe('waggle observe', () => {
  it('prints past flows in compact lines', async () => {
    const { stdout, stderr, code } = await ask('observe');
    const [web, db] = ['shop/web-5f7c-a', 'data/maindb-5f7c-a'];
    expect(stdout.split('\n')).toEqual([
      `Nov 21 09:26:56.123: ${web}:41000 (ID:1073741827) -> ${db}:3306 (ID:1073741830) to-stack FORWARDED (TCP Flags: SYN)`,
      `Nov 21 09:26:56.124: ${db}:41000 (ID:1073741830) -> 93.184.216.34:53 (world) to-stack FORWARDED (UDP)`,
      `Nov 21 09:26:56.125: ${web}:41000 (ID:1073741827) -> ${db}:3306 (ID:1073741830) Policy denied DROPPED (TCP Flags: SYN)`,
      '',
    ]);
    expect([stderr, code]).toEqual(['', 0]);
  });

  it('prints what its flags and words let through', async () => {
    const lines = async (...args: string[]) => (await ask('observe', ...args)).stdout.split('\n').length - 1;
    expect(await lines('--protocol', 'udp')).toBe(1);
    expect(await lines('-n', 'shop', '--verdict', 'forwarded')).toBe(1);
    expect(await lines('--to-port', '53', '--to-port', '3306')).toBe(3);
    expect(await lines('!verdict=dropped', '--last', '1')).toBe(1);
    expect(await lines('--pod', 'nobody')).toBe(0);
  });

  it('prints JSON, one object per line', async () => {
    const { stdout } = await ask('observe', '-o', 'json', '--verdict', 'dropped');
    expect(JSON.parse(stdout)).toMatchObject({
      flow: {
        time: expect.stringMatching(/\.125Z$/),
        uuid: expect.stringMatching(/^test\/node-1\/[0-9a-f]+\/3$/),
        verdict: 'DROPPED',
        drop_reason_desc: 'POLICY_DENIED',
        l4: { TCP: { destination_port: 3306 } },
        source: { pod_name: 'web-5f7c-a', namespace: 'shop', workloads: [{ kind: 'Deployment' }] },
      },
      node_name: 'test/node-1',
    });
    const again = await waggle(
      ['observe', '--input-file', '-', '-o', 'dict', '--not', '--to-port', '53'],
      undefined,
      stdout,
    );
    expect(again.stdout).toContain('DESTINATION: data/maindb-5f7c-a:3306\n       TYPE: Policy denied\n');
    expect(await waggle(['observe', '--input-file', '-', '--to-port', '53'], undefined, stdout)).toMatchObject({
      stdout: '',
      code: 0,
    });
  });

  it('passes over lines of a file that are no flows, and says so', async () => {
    const read = (input: string | Uint8Array) => waggle(['observe', '--input-file', '-'], undefined, input);
    const good = '{"flow":{"time":"2026-11-21T09:26:56Z","verdict":"DROPPED"}}';
    const cut = await read(`${good}\n{"flow":7}\nnull\n${good}\n${good.slice(0, 20)}`);
    expect(cut).toMatchObject({ stdout: expect.stringMatching(/^(.* DROPPED \(\)\n){2}$/), code: 0 });
    expect(cut.stderr.match(/^waggle: standard input, line \d: this is no flow/gm)).toHaveLength(3);
    const long = await read(`${good}\n${'x\n'.repeat(1_000)}`);
    expect(long.stderr.split('\n')).toHaveLength(12);
    expect(long.stderr).toContain('990 more lines are no flows');
    expect(await read('x')).toMatchObject({ stderr: expect.stringContaining('standard input has no flows'), code: 1 });
    const endless = await read(`${good}\n${'x'.repeat(5 * 1024 * 1024)}\n${good}\n`);
    expect(endless).toMatchObject({ stdout: expect.stringMatching(/^(.* DROPPED \(\)\n){2}$/), code: 0 });
    expect(endless.stderr).toMatch(/^waggle: standard input, line 2: .*\(it is longer than 4194304 characters\)\n$/);
    const packed = await read(gzipSync(good));
    expect(packed).toMatchObject({ stdout: '', stderr: expect.stringContaining('is compressed: gunzip'), code: 1 });
  });

  it('names the disk that is full, and ends quietly when its reader has enough', async () => {
    const end = async (to: string) => {
      const flows = `yes '{"flow":{}}' | head -20000 | "$0" "$1" observe --input-file - ${to}`;
      const child = spawn('bash', ['-c', `${flows}; echo "code \${PIPESTATUS[2]}" >&2`, process.execPath, WAGGLE]);
      let said = '';
      child.stderr.on('data', (chunk) => (said += chunk));
      await once(child, 'close');
      return said;
    };
    expect(await end('> /dev/full')).toMatch(/^waggle: cannot write: ENOSPC.*\ncode 1\n$/);
    expect(await end('| head -1 > /dev/null')).toBe('code 0\n');
  });

  it('takes the filters of "hubble observe"', async () => {
    const lines = async (...args: string[]) => {
      const { stdout, stderr, code } = await ask('observe', ...args);
      expect([stderr, code]).toEqual(['', 0]);
      return stdout.split('\n').length - 1;
    };
    expect(await lines('-t', 'drop')).toBe(1);
    expect(await lines('--not', '--verdict', 'DROPPED', '--not', '-t', 'drop')).toBe(2);
    expect(await lines('--from-pod', 'shop/web', '--first', '1')).toBe(1);
    expect(await lines('--allowlist', '{"destination_port":["53"]} {"verdict":["DROPPED"]}')).toBe(2);
    expect(await lines('--since', '2001-01-01', '--until', '2001-01-02')).toBe(0);
    // Words say the same of a stretch of time.
    expect(await lines('port=3306', '--since', '2001-01-01')).toBe(2);
    expect(await lines('port=3306', '--since', '2099-01-01')).toBe(0);
    expect(await lines('port=3306', '--until', '2001-01-01')).toBe(0);
    expect(await lines('port=3306', '--until', '2099-01-01', '--last', '1')).toBe(1);
    expect(await lines('--cel-expression', '_flow.l4.UDP.destination_port == 53u', '-4')).toBe(1);
  });

  it('shows what was asked for over HTTP, and not by whose leave', async () => {
    const line = JSON.stringify({
      flow: {
        IP: { source: '10.0.0.1', destination: '10.0.0.2', ipVersion: 'IPv4' },
        l7: {
          type: 'REQUEST',
          http: {
            method: 'GET',
            protocol: 'HTTP/1.1',
            url: 'http://ann:s3cr3t@shop/find?page=2&token=s3cr3t',
            headers: [
              { key: 'X-Api-Key', value: 's3cr3t' },
              { key: 'X-Session', value: 's3cr3t-too' },
            ],
          },
        },
        Summary: 'HTTP/1.1 GET http://ann:s3cr3t@shop/find?page=2&token=s3cr3t',
      },
    });
    const shown = async (...args: string[]) =>
      (await waggle(['observe', '--input-file', '-', ...args], undefined, line)).stdout;
    expect(await shown()).toContain(
      '(HTTP/1.1 GET http://HUBBLE_REDACTED@shop/find?page=HUBBLE_REDACTED&token=HUBBLE_REDACTED)',
    );
    for (const output of ['compact', 'dict', 'table', 'json', 'jsonpb']) {
      expect(await shown('-o', output)).not.toContain('s3cr3t');
    }
    const allowed = await shown('-o', 'json', '--redact-allow-query', 'page', '--redact-allow-header', 'x-session');
    expect(JSON.parse(allowed).flow.l7.http).toMatchObject({
      url: 'http://HUBBLE_REDACTED@shop/find?page=2&token=HUBBLE_REDACTED',
      headers: [{ value: 'HUBBLE_REDACTED' }, { value: 's3cr3t-too' }],
    });
    expect(JSON.parse(await shown('-o', 'json', '--no-redact'))).toEqual(JSON.parse(line));
  });

  it('sums up who talks to whom', async () => {
    const { stdout } = await ask('observe', '--summary', '--last', '100');
    expect(stdout).toMatch(/^CLIENT +SERVER +PORT +FLOWS +DROPPED\nshop\/web +data\/maindb +3306 TCP +2 +1\n/);
    expect(stdout).toMatch(/\n3 flows, 1 dropped\.\n$/);
  });

  it('prints filters as JSON', async () => {
    const { stdout } = await ask('observe', '--print-raw-filters', '-n', 'shop', '--not', '--ip', '10.0.0.1');
    expect(stdout).toBe(
      'allowlist:\n    - \'{"source_pod":["shop/"]}\'\n    - \'{"destination_pod":["shop/"]}\'\n' +
        'denylist:\n    - \'{"source_ip":["10.0.0.1"]}\'\n    - \'{"destination_ip":["10.0.0.1"]}\'\n',
    );
  });

  it('follows until it is interrupted, and that is no failure', async () => {
    let observed = false;
    const { stdout, stderr, code } = await waggle(
      ['observe', '--server', backend.relayAddress, '-f', '--last', '1', '--port', '3306', '--print-node-name'],
      (printed, kill) => {
        if (!observed) agent.observe({ sourcePort: 42_000 });
        observed = true;
        if (printed.includes(':42000')) kill('SIGINT');
      },
    );
    expect(stdout.split('\n')).toHaveLength(3);
    expect(stdout).toMatch(/^\w+ +\d+ [\d:.]+ \[test\/node-1\]: shop\/web/);
    expect([stderr, code]).toEqual(['', 0]);
  });

  it('names what it cannot do', async () => {
    const bad = await ask('observe', '--port', '80,http');
    expect(bad).toMatchObject({
      stdout: '',
      code: 2,
      stderr: expect.stringContaining('"http" is not a port'),
    });
    expect(await ask('observe', 'port=80,http')).toMatchObject({
      stdout: '',
      code: 2,
      stderr: expect.stringContaining('"port=80,http", character 9: "http"'),
    });
    expect(await ask('observe', '--verdict', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--verdict: "x"'),
    });
    expect(await ask('observe', 'ns=a', '--not', '--port', '1')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--port cannot stand beside the filter "ns=a"'),
    });
    expect(await ask('observe', '--since', 'yesterday')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('how long ago'),
    });
    const nobody = await waggle(['observe', '--server', '127.0.0.1:1']);
    expect(nobody).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^waggle: nothing answers at 127\.0\.0\.1:1 .*--server/),
    });
  });

  it('has a flag for every field and side', () => {
    expect(
      filterTokens({ fromPod: ['a', 'b,c'], label: ['app=web'], trafficDirection: ['ingress'] }, ['ns=x']),
    ).toEqual(['ns=x', 'from:pod=default/a,default/b,default/c', 'label app=web', 'direction=ingress']);
  });
});

describe('waggle status', () => {
  it('tells nodes, rates and losses, and fails while a node is missing', async () => {
    const well = await ask('status');
    expect(well.code).toBe(0);
    expect(well.stdout).toMatch(/^Nodes: +1\/1 connected\n/);
    expect(well.stdout).toMatch(/node-1 +connected/);
    const json = await ask('status', '-o', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject({ nodes: [{ name: 'node-1', state: 'NODE_STATE_CONNECTED' }] });
    backend.relay.follow([agent, { name: 'node-2', address: '127.0.0.1:1' }]);
    const missing = await ask('status');
    expect(missing).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/1\/2 connected[\s\S]*node-2 +(un|connecting)/),
    });
  });
});
