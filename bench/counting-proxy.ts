import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BenchmarkContext } from './benchmark.ts';

export interface CountingProxy {
  readonly url: string;
  /** Paths asked for, in order, each once: what workers load is among them, which the browser's own tools do not tell. */
  readonly paths: readonly string[];
}

/** Stands between a browser and a server on loopback and notes what is asked for. */
export async function startCountingProxy(target: string, context: BenchmarkContext): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  const paths = new Set<string>();
  const server = createServer((incoming, outgoing) => {
    paths.add(new URL(incoming.url ?? '/', target).pathname);
    const { method, url: path, headers } = incoming;
    const onward = request({ hostname, port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.cleanUp(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get paths() {
      return [...paths];
    },
  };
}
