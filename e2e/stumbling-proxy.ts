import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** In front of a server, and too busy for some requests the first few times each is made. */
export class StumblingProxy {
  /** Times each path was refused. */
  readonly refused = new Map<string, number>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(target: string, stumblesAt: RegExp, times: number): Promise<StumblingProxy> {
    const server = createServer((incoming, response) => {
      const path = incoming.url ?? '/';
      const refused = proxy.refused.get(path) ?? 0;
      if (stumblesAt.test(path) && refused < times) {
        proxy.refused.set(path, refused + 1);
        response.writeHead(503).end();
        return;
      }
      const { method, headers } = incoming;
      const forwarded = request(new URL(path, target), { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      forwarded.on('error', () => response.destroy());
      response.on('close', () => forwarded.destroy());
      incoming.pipe(forwarded);
    });
    const proxy = new StumblingProxy(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
