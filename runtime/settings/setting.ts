import { type Command, InvalidArgumentError, Option } from 'commander';
import { InvalidValueError, type Parser } from './parsers.ts';

/**
 * One setting: a flag, an environment variable and a default, described once. The variable is WAGGLE_ and the flag's name in
 * capitals, unless the setting names another.
 */
export interface Setting<T> {
  /** As commander writes it: `--listen <address>`, `--follow`. */
  readonly flags: string;
  readonly description: string;
  readonly parser?: Parser<T>;
  readonly default?: T;
  /** How the default is shown, where its value says little (`4Mi` for 4194304). */
  readonly defaultText?: string;
  /** Default: derived from the flag. False: the setting has no variable. */
  readonly environment?: string | false;
  readonly required?: boolean;
}

/** `--max-receive-bytes <size>` → `WAGGLE_MAX_RECEIVE_BYTES` */
export function environmentName(flags: string): string {
  const long = /--(?:no-)?([a-z0-9-]+)/.exec(flags)?.[1];
  if (long === undefined) throw new TypeError(`setting "${flags}" has no long flag`);
  return `WAGGLE_${long.replaceAll('-', '_').toUpperCase()}`;
}

/** Adds the settings to a command. Flags win over the environment, which wins over defaults. */
export function addSettings(command: Command, ...settings: readonly Setting<never>[]): Command {
  for (const setting of settings) command.addOption(option(setting));
  return command;
}

/** Keeps a setting's own type while a list of different ones is written. */
export function setting<T>(definition: Setting<T>): Setting<never> {
  return definition as unknown as Setting<never>;
}

function option({ flags, description, parser, environment, required, ...rest }: Setting<never>): Option {
  const made = new Option(flags, description);
  const variable = environment ?? environmentName(flags);
  if (variable !== false) made.env(variable);
  if (rest.default !== undefined) made.default(rest.default, rest.defaultText);
  if (required) made.makeOptionMandatory();
  if (parser !== undefined) {
    made.argParser((value: string) => {
      try {
        return parser(value);
      } catch (error) {
        // commander puts the flag or variable and the value in front of it.
        if (error instanceof InvalidValueError) throw new InvalidArgumentError(`Expected ${error.expected}.`);
        throw error;
      }
    });
  }
  return made;
}
