import { textTable } from '#core/observe/text-table.ts';
import { type Installation, isHealthy } from './read-installation.ts';

/** For people: a table of the parts, then what is wrong. */
export function installationText(installation: Installation): string {
  const { namespace, parts, problems } = installation;
  if (parts.length === 0) return `Waggle is not installed in namespace ${namespace}: waggle install does that\n`;
  const rows = parts.map(({ name, desired, updated, ready }) => [
    name,
    String(desired),
    String(updated),
    String(ready),
    ready >= desired && desired > 0 ? 'OK' : ready > 0 ? 'degraded' : 'not ready',
  ]);
  const why = [
    ...parts.flatMap(({ name, problems: own }) => own.map((problem) => `${name}: ${problem}`)),
    ...parts.filter(({ name, desired }) => name === 'agent' && desired === 0).map(() => 'agent: no node is selected'),
    ...problems,
  ];
  const table = textTable([['PART', 'DESIRED', 'UPDATED', 'READY', 'STATE'], ...rows]);
  const lines = why.length > 0 ? why.map((line) => `  ${line}\n`).join('') : '';
  return `${table}${lines === '' ? '' : `\n${lines}`}${isHealthy(installation) ? '\nall is well\n' : ''}`;
}
