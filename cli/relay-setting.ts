import { address } from '#runtime/settings/parsers.ts';
import { setting } from '#runtime/settings/setting.ts';

/** Whom the reading commands ask: the relay, or one agent. */
export const serverSetting = setting<string>({
  flags: '--server <address>',
  description: 'the relay or agent to ask',
  parser: address,
  default: '127.0.0.1:4245',
});
