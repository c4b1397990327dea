import { Outcomes } from './outcomes.ts';
import { type Program, parseTarget } from './program-context.ts';

const ANSWER_TIMEOUT_MS = 1_000;

/** Sends datagrams of BYTES (64) to TARGET, RATE (5) a second, each exchange from a port of its own if FRESH_PORTS (true). */
export const udpClient: Program = async (context) => {
  const target = parseTarget('TARGET', context.text('TARGET'));
  const rate = context.number('RATE', 5, 0.01, 10_000);
  const datagram = Buffer.alloc(context.number('BYTES', 64, 1, 65_000), 'x');
  const fresh = context.flag('FRESH_PORTS', true);
  const outcomes = new Outcomes(context);
  context.started();
  let kept: Awaited<ReturnType<typeof context.udp>> | undefined;
  while (!context.signal.aborted) {
    try {
      const { addresses } = await context.resolve(target.host);
      const address = addresses[0]!;
      const socket = kept ?? (await context.udp(address.includes(':') ? 6 : 4, 0));
      if (!fresh) kept = socket;
      const answered = new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), ANSWER_TIMEOUT_MS);
        socket.once('message', () => {
          clearTimeout(timer);
          resolve(true);
        });
      });
      socket.send(datagram, target.port, address, () => {});
      if (await answered) outcomes.ok();
      else outcomes.failed(`no answer from ${address}:${target.port}`);
      socket.removeAllListeners('message');
      if (fresh && !context.signal.aborted) socket.close();
    } catch (error) {
      outcomes.failed((error as Error).message);
    }
    await context.pause(1000 / rate);
  }
  return 0;
};
