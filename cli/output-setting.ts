import { oneOf } from '#runtime/settings/parsers.ts';
import { setting } from '#runtime/settings/setting.ts';

/** For people, or for programs. */
export const outputSetting = setting<string>({
  flags: '-o, --output <form>',
  description: 'text or json',
  parser: oneOf('text', 'json'),
  default: 'text',
  environment: false,
});
