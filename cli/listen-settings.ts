import { address } from '#runtime/settings/parsers.ts';
import { setting } from '#runtime/settings/setting.ts';
import { DEFAULT_RELAY } from './relay-setting.ts';

/** Where `waggle backend`, alone or within the demo, is reached. Loopback, unless somebody asks for more. */
export const listenSetting = setting<string>({
  flags: '--listen <address>',
  description: 'where the page, its API and the metrics are served',
  parser: address,
  default: '127.0.0.1:12000',
});

export const grpcListenSetting = setting<string>({
  flags: '--grpc-listen <address>',
  description: 'where the relay is served over gRPC',
  parser: address,
  default: DEFAULT_RELAY,
});
