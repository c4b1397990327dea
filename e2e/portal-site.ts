import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A web page with nothing on it, on an origin of its own: what Waggle is put into. */
export class PortalSite {
  readonly #server: Server;
  readonly #host: string;

  private constructor(server: Server, host: string) {
    this.#server = server;
    this.#host = host;
  }

  /** `localhost` and 127.0.0.1 are two sites to a browser, though one machine. */
  static async start(host: '127.0.0.1' | 'localhost' = '127.0.0.1'): Promise<PortalSite> {
    const server = createServer((_request, response) => {
      response
        .setHeader('content-type', 'text/html')
        .end('<!doctype html><title>Portal</title><link rel="icon" href="data:,">');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new PortalSite(server, host);
  }

  get origin(): string {
    return `http://${this.#host}:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
