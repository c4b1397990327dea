import { createServer } from 'node:net';
import { FolderSource } from '#runtime/cluster/folder-source.ts';
import { ClusterNames } from './cluster-names.ts';
import { answerMessage } from './dns-answer.ts';
import { type Program, untilStopped } from './program-context.ts';

const PORT = 53;
/** Longest a TCP connection may stay idle, in milliseconds. */
const TCP_IDLE_MS = 10_000;

/** Cluster DNS over UDP and TCP, from the lab's state folder. */
export const dns: Program = async (context) => {
  const source = new FolderSource(context.stateDir);
  context.signal.addEventListener('abort', () => void source.stop(), { once: true });
  await source.start();
  const names = new ClusterNames(source);
  for (const family of [4, 6] as const) {
    const socket = await context.udp(family, PORT);
    socket.on('error', (error) => context.log(error.message));
    socket.on('message', (message, sender) => {
      const answer = answerMessage(message, names, 'udp');
      if (answer) socket.send(answer, sender.port, sender.address, () => {});
    });
  }
  const server = createServer((socket) => {
    let pending = Buffer.alloc(0);
    socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      // Messages over TCP carry their length in two bytes before them.
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0);
        const answer = answerMessage(pending.subarray(2, end), names, 'tcp');
        pending = pending.subarray(end);
        if (!answer) return socket.destroy();
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        socket.write(Buffer.concat([length, answer]));
      }
    });
  });
  await context.listen(server, PORT);
  context.log(`listens on ${PORT}`);
  context.started();
  return untilStopped(context);
};
