import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BenchmarkContext } from './benchmark.ts';

export interface CountingProxy {
  readonly url: string;
  /**
   * Paths asked for until that moment (milliseconds since 1970), in order, each once: what workers load is among them, which
   * the browser's own tools do not tell.
   */
  pathsUntil(moment: number): string[];
}

/** Stands between a browser and a server on loopback and notes what is asked for. */
export async function startCountingProxy(target: string, context: BenchmarkContext): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  /** When each was first asked for. */
  const paths = new Map<string, number>();
  const server = createServer((incoming, outgoing) => {
    const { pathname } = new URL(incoming.url ?? '/', target);
    if (!paths.has(pathname)) paths.set(pathname, Date.now());
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
    pathsUntil: (moment) => [...paths].filter(([, at]) => at <= moment).map(([path]) => path),
  };
}
