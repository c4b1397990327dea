import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listenError } from './listen-error.ts';

const SETTING = '--listen or WAGGLE_LISTEN';

function failureOf(listen: (server: ReturnType<typeof createServer>) => void): Promise<Error> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', resolve);
    server.once('listening', () => server.close(() => reject(new Error('it listens'))));
    listen(server);
  });
}

test('a taken port, an address of nobody and a folder that is missing are told with the setting', async () => {
  const holder = createServer();
  const port = await new Promise<number>((resolve) =>
    holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port)),
  );
  try {
    const taken = await failureOf((server) => server.listen(port, '127.0.0.1'));
    expect(listenError(taken, `127.0.0.1:${port}`, SETTING)).toMatchObject({
      code: 'EADDRINUSE',
      message: `127.0.0.1:${port} is already in use by another program; choose another with ${SETTING}`,
    });
  } finally {
    holder.close();
  }
  const foreign = await failureOf((server) => server.listen(0, '192.0.2.1'));
  expect(listenError(foreign, '192.0.2.1:80', SETTING).message).toMatch(/^192\.0\.2\.1:80 is not an address of this/);
  const path = join('/nowhere', 'agent.sock');
  const folderless = await failureOf((server) => server.listen(path));
  expect(listenError(folderless, `unix:${path}`, SETTING).message).toMatch(/agent\.sock has no such folder; choose/);
});
