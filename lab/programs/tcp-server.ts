import { createServer } from 'node:net';
import { type Program, untilStopped } from './program-context.ts';
import { RequestReader, response } from './tcp-exchange.ts';

/** Answers tcp-client on PORT, after LATENCY_MS (0) milliseconds. */
export const tcpServer: Program = async (context) => {
  const port = context.number('PORT', 0, 1, 65_535);
  const latency = context.number('LATENCY_MS', 0, 0, 60_000);
  const server = createServer({ noDelay: true }, (socket) => {
    const reader = new RequestReader();
    socket.on('data', (chunk) => {
      try {
        for (const bytes of reader.read(chunk)) {
          if (latency === 0) socket.write(response(bytes));
          else setTimeout(() => socket.writable && socket.write(response(bytes)), latency);
        }
      } catch (error) {
        context.log(`${socket.remoteAddress}: ${(error as Error).message}`);
        socket.destroy();
      }
    });
  });
  await context.listen(server, port);
  context.log(`listens on ${port}`);
  context.started();
  return untilStopped(context);
};
