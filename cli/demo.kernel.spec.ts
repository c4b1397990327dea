import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const BIN = join(import.meta.dirname, 'bin.mjs');

test('the demo names a port that is taken and the setting, before it starts anything', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const lab = `spec-${process.pid}`;
  const argv = [BIN, 'demo', '--name', lab, '--listen', `127.0.0.1:${port}`, '--grpc-listen', '127.0.0.1:0'];
  const [code, stderr] = await new Promise<[unknown, string]>((resolve) => {
    execFile(process.execPath, argv, { timeout: 80_000 }, (error, _stdout, text) => resolve([error?.code, text]));
  });
  await new Promise((resolve) => server.close(resolve));
  expect(code).toBe(1);
  expect(stderr).toBe(
    `waggle: 127.0.0.1:${port} is already in use by another program; choose another with --listen or WAGGLE_LISTEN\n`,
  );
});
