// One pod of the fidelity test: serves every kind of traffic, and says nothing unless asked.
import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { Worker } from 'node:worker_threads';
import { PORT } from './ports.ts';

const CHUNK = Buffer.alloc(64 * 1024, 'w');

function listen(server: Server, port: number): void {
  server.listen({ port, host: '::', backlog: 512 });
}

listen(
  createServer({ allowHalfOpen: true }, (socket) => {
    let asked = '';
    socket.on('error', () => {});
    socket.setEncoding('latin1').on('data', (text) => {
      asked += text;
      if (!asked.includes('\n')) return;
      let left = Number.parseInt(asked, 10);
      asked = '';
      const send = () => {
        while (left > 0) {
          const part = CHUNK.subarray(0, Math.min(left, CHUNK.length));
          left -= part.length;
          if (!socket.write(part)) return;
        }
        socket.off('drain', send);
        socket.end();
      };
      socket.on('drain', send);
      send();
    });
  }),
  PORT.serve,
);

listen(
  createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.resetAndDestroy());
  }),
  PORT.reset,
);

listen(
  createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      bytes += data.length;
    });
    socket.on('end', () => socket.end(`${bytes}\n`));
  }),
  PORT.sink,
);

const echo = createSocket({ type: 'udp6', recvBufferSize: 4 * 1024 * 1024 });
echo.on('message', (message, from) => echo.send(message, from.port, from.address));
echo.bind(PORT.echo, '::');
createSocket({ type: 'udp6' }).bind(PORT.silent, '::');

// A thread that listens and then blocks: the kernel completes as many handshakes as the backlog holds, and no more.
new Worker(
  `const server = require('node:net').createServer();
   server.listen({ port: ${PORT.stalled}, host: '::', backlog: 1 }, () =>
     Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));`,
  { eval: true },
);
