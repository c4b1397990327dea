import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type CertificateFilePaths, TestAuthority } from '#runtime/testing/certificates.ts';
import { InProcessAgent } from '#runtime/testing/in-process-agent.ts';

const WAGGLE = fileURLToPath(new URL('./waggle.ts', import.meta.url));

let ours: TestAuthority;
let client: CertificateFilePaths;
let agent: InProcessAgent;
let relay: string;
let stop: () => Promise<unknown>;

beforeAll(async () => {
  ours = new TestAuthority();
  const server = ours.issue(['relay.hubble-relay.cilium.io', 'localhost']);
  client = ours.issue(['somebody']);
  agent = new InProcessAgent('node-1');
  await agent.start();
  agent.observe({});
  const child = spawn(
    process.execPath,
    [
      ...[WAGGLE, 'backend', '--agent', agent.target, '--listen', '127.0.0.1:0', '--grpc-listen', '127.0.0.1:0'],
      ...[
        '--tls-cert-file',
        server.certificate,
        '--tls-key-file',
        server.key,
        '--tls-client-ca-files',
        ours.certificate,
      ],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise((resolve) => child.once('close', resolve));
  stop = () => {
    child.kill('SIGINT');
    return ended;
  };
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await vi.waitFor(() => expect(said).toMatch(/relay: \S+\n/), { timeout: 50_000 });
  relay = /relay: (\S+)/.exec(said)![1]!;
});

afterAll(async () => {
  await stop?.();
  await agent?.stop();
  ours?.remove();
});

function observe(...args: string[]): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const child = spawn(process.execPath, [WAGGLE, 'observe', '--server', relay, ...args], { stdio: 'pipe' });
  return new Promise((resolve) => {
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('close', (code) => resolve({ stdout, stderr, code }));
  });
}

it('flows go to whom the relay’s authority knows, and to nobody else', async () => {
  const trust = ['--tls', '--tls-ca-cert-files', ours.certificate];
  const shown = ['--tls-client-cert-file', client.certificate, '--tls-client-key-file', client.key];
  await vi.waitFor(
    async () => expect((await observe(...trust, ...shown)).stdout).toMatch(/FORWARDED \(TCP Flags: SYN\)\n$/),
    { timeout: 30_000 },
  );
  const named = await observe(...trust, ...shown, '--tls-server-name', 'relay.hubble-relay.cilium.io');
  expect(named.stdout).toContain('FORWARDED');
  const refused = [[], trust, [...trust, ...shown, '--tls-server-name', 'other.example']];
  for (const outcome of await Promise.all(refused.map((flags) => observe(...flags)))) {
    const stderr = expect.stringContaining('nothing answers at');
    expect(outcome).toMatchObject({ code: 1, stdout: '', stderr });
  }
});

it('flags that belong together are asked for together', async () => {
  expect(await observe('--tls-ca-cert-files', ours.certificate)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('not switched on'),
  });
  expect(await observe('--tls', '--tls-client-cert-file', client.certificate)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('name both files'),
  });
  expect(await observe('--tls', '--tls-ca-cert-files', '/nowhere.pem')).toMatchObject({
    code: 1,
    stderr: 'waggle: TLS file /nowhere.pem cannot be read: ENOENT\n',
  });
});
