import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { pino } from 'pino';
import { ViewService } from '#proto/gen/waggle/v1/view_pb.ts';
import { type Code, type Handlers, StatusError, service } from '#runtime/grpc/service.ts';
import { grpcWebRouter } from '#runtime/grpc-web/router.ts';

const PAGE = fileURLToPath(new URL('../dist/web', import.meta.url));

/** The page with an API that refuses every call: for states that no server of today brings about. */
export class RefusingServer {
  readonly #server: Server;
  readonly #shutdown: AbortController;

  private constructor(server: Server, shutdown: AbortController) {
    this.#server = server;
    this.#shutdown = shutdown;
  }

  static async start(code: Code, message: string): Promise<RefusingServer> {
    const refuse = () => {
      throw new StatusError(code, message);
    };
    // Whatever methods there are.
    const handlers = new Proxy({}, { get: () => refuse }) as Handlers<typeof ViewService>;
    const shutdown = new AbortController();
    const log = pino({ level: 'silent' });
    const app = express();
    app.use(
      '/api',
      grpcWebRouter([service(ViewService, handlers)], { maxReceiveBytes: 65_536, shutdown: shutdown.signal, log }),
    );
    app.get('/session.json', (_request, response) => void response.json({ mode: 'none' }));
    app.use(express.static(PAGE));
    const server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new RefusingServer(server, shutdown);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#shutdown.abort();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
