import { createServer } from 'node:net';
import { listenError } from '#runtime/listen-error.ts';
import { type Check, limited, ok } from './check.ts';

// Port and the setting that chooses another.
const PORTS = [
  { name: 'port 12000', port: 12_000, use: 'the page', setting: '--listen or WAGGLE_LISTEN' },
  { name: 'port 4245', port: 4_245, use: 'the relay', setting: '--grpc-listen or WAGGLE_GRPC_LISTEN' },
];

/** Whether the ports are free that Waggle listens on when nothing else is said. */
export function portChecks(): Promise<Check[]> {
  return Promise.all(
    PORTS.map(async ({ name, port, use, setting }) => {
      const address = `127.0.0.1:${port}`;
      const failure = await tryListen(port);
      if (failure === undefined) return ok(name, `${address} is free, for ${use}`);
      const [detail = '', fix = ''] = listenError(failure, address, setting).message.split('; ', 2);
      return limited(name, `${detail}, and is wanted for ${use}`, `stop that program (a running Waggle?), or ${fix}`);
    }),
  );
}

function tryListen(port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
}
