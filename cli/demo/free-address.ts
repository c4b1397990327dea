import { createServer } from 'node:net';
import { parseAddress } from '#runtime/address.ts';
import { listenError } from '#runtime/listen-error.ts';

/** Throws ListenError when a TCP address cannot be listened on now. A port of 0 always can. */
export async function assertFree(text: string, setting: string): Promise<void> {
  const address = parseAddress(text);
  if (address?.kind !== 'tcp') return;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, text, setting)));
    server.listen(address.port, address.host, () => server.close(() => resolve()));
  });
}
