import { Command } from 'commander';
import { terminalText } from '#core/observe/terminal-text.ts';
import { addSettings } from '#runtime/settings/setting.ts';
import { relayFailure, serverSetting } from './relay-setting.ts';
import { type ClientTlsFlags, clientSecurityOf, clientTlsSettings } from './tls-settings.ts';

interface WatchFlags extends ClientTlsFlags {
  server: string;
}

const WORDS = ['UNKNOWN', 'PEER_ADDED', 'PEER_DELETED', 'PEER_UPDATED'];

/** `waggle watch peers`: who serves flows, and what changes about it. */
export function watchCommand(): Command {
  const command = new Command('watch').description('what changes, as it happens');
  const peers = new Command('peers').description(
    'the nodes whose agents serve flows, as an agent or a relay knows them',
  );
  addSettings(peers, serverSetting, ...clientTlsSettings());
  command.addCommand(peers.action(watchPeers));
  return command;
}

async function watchPeers(flags: WatchFlags): Promise<void> {
  const { Peer } = await import('#proto/gen/peer/peer_pb.ts');
  const { createClient } = await import('#runtime/grpc/client.ts');
  const client = createClient(Peer, flags.server, { security: await clientSecurityOf(flags) });
  const ended = new AbortController();
  const end = () => ended.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  try {
    for await (const { type, name, address, tls } of client.notify({}, { signal: ended.signal })) {
      const secure = tls === undefined || tls.serverName === '' ? '' : ` (TLS.ServerName: ${tls.serverName})`;
      console.log(terminalText(`${(WORDS[type] ?? String(type)).padEnd(12)} ${address} ${name}${secure}`));
    }
  } catch (error) {
    // Ctrl-C is how watching ends.
    if (!ended.signal.aborted) throw relayFailure(error, flags.server);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end);
    client.close();
  }
}
