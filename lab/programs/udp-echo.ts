import { type Program, untilStopped } from './program-context.ts';

/** Sends every datagram to PORT back to where it came from. */
export const udpEcho: Program = async (context) => {
  const port = context.number('PORT', 0, 1, 65_535);
  for (const family of [4, 6] as const) {
    const socket = await context.udp(family, port);
    socket.on('error', (error) => context.log(error.message));
    socket.on('message', (message, sender) => socket.send(message, sender.port, sender.address, () => {}));
  }
  context.log(`listens on ${port}`);
  context.started();
  return untilStopped(context);
};
