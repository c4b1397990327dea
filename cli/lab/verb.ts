import { Command, Option } from 'commander';
import { DEFAULT_LAB_NAME, labNameProblem } from '#lab/lab-layout.ts';
import { InvalidValueError } from '#runtime/settings/parsers.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';

const labName = setting<string>({
  flags: '--name <lab>',
  description: 'which lab; several can run side by side',
  environment: 'WAGGLE_LAB_NAME',
  parser: (text) => {
    if (labNameProblem(text) !== undefined) throw new InvalidValueError('up to 30 lower case letters, digits and "-"');
    return text;
  },
  default: DEFAULT_LAB_NAME,
});

/** What every verb is told: of which lab. */
export interface Named {
  name: string;
}

/** A verb of `waggle lab`. */
export function verb(name: string, description: string): Command {
  return addSettings(new Command(name).description(description), labName);
}

export function outputOption(): Option {
  return new Option('-o, --output <format>', 'what to print').choices(['table', 'wide', 'json']).default('table');
}
