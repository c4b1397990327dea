import type { Command, Option } from 'commander';

const HEAD = `# Settings

Every setting is a flag and, where a variable is named, an environment variable; the flag wins. A value that cannot be read is refused
by its name. Durations have a unit (\`500ms\`, \`10s\`, \`5m\`), sizes may have one (\`64Ki\`, \`4Mi\`), counts too (\`64k\`, \`2M\`).

This page is made from the commands' own definitions; a test holds the two together. To renew it:
\`npx vitest run cli/settings-page.spec.ts -u\`.
`;

/** Markdown: a section with a table for each command, subcommands included, that takes any setting. */
export function settingsPage(commands: readonly Command[]): string {
  return `${[HEAD, ...commands.flatMap((command) => sections(command, 'waggle'))].join('\n')}`;
}

function sections(command: Command, parent: string): string[] {
  const name = `${parent} ${command.name()}`;
  const options = command.options.filter((option) => !option.hidden);
  const own = options.length === 0 ? [] : [section(name, options)];
  return [...own, ...command.commands.flatMap((child) => sections(child, name))];
}

function section(name: string, options: readonly Option[]): string {
  const rows = options.map((option) => [
    code(option.flags),
    option.envVar === undefined ? '' : code(option.envVar),
    defaultOf(option),
    meaning(option),
  ]);
  const table = [['flag', 'variable', 'default', 'meaning'], ['---', '---', '---', '---'], ...rows];
  return `## ${name}\n\n${table.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

function defaultOf(option: Option): string {
  if (option.mandatory && option.defaultValue === undefined) return 'required';
  if (option.defaultValueDescription !== undefined) return code(option.defaultValueDescription);
  const value: unknown = option.defaultValue;
  if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) return '';
  return code(String(value));
}

function meaning(option: Option): string {
  const choices = option.argChoices === undefined ? '' : `; one of ${option.argChoices.join(', ')}`;
  return `${option.description}${choices}`.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}
