import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FILTER_FIELDS } from '#core/filter/fields.ts';
import { parseFilter } from '#core/filter/parse-filter.ts';
import { filterKey } from '#core/filter/print-filter.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { compileFlowFilters } from '#core/hubble/filter/compile.ts';
import { observeArguments, observeCommandLine, shellQuoted } from '#core/observe/command-line.ts';
import { hubbleFilters } from '#core/observe/hubble-filter.ts';
import { asksOwnFilters, filterOptions, filterTokens, noteFilters } from './observe-flags.ts';

/** What the command makes of the line, after a real shell has taken it apart. */
function readBack(line: string): { filter: string; last?: string; follow?: boolean } {
  const words = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
  expect(words.slice(0, 2)).toEqual(['waggle', 'observe']);
  const command = new Command('observe').argument('[filter...]').option('-f, --follow').option('--last <count>');
  for (const option of filterOptions()) command.addOption(option);
  command.exitOverride().parse(words.slice(2), { from: 'user' });
  const { last, follow, ...flags } = command.opts();
  const { filter, errors } = parseFilter(filterTokens(flags, command.args));
  expect(errors).toEqual([]);
  return { filter: filterKey(filter), last, follow };
}

const keyOf = (tokens: readonly string[]) => filterKey(parseFilter(tokens).filter);

describe('a command line that reproduces a view', () => {
  it('uses flags where there are some', () => {
    expect(observeCommandLine({ namespaces: ['shop', 'data'], filter: ['verdict=dropped', 'from:pod=shop/web'] })).toBe(
      'waggle observe --namespace shop,data --verdict dropped --from-pod shop/web',
    );
    expect(observeCommandLine({ namespaces: [], filter: [], last: 100, follow: true })).toBe(
      'waggle observe --last 100 --follow',
    );
  });

  it('keeps what must hold together from becoming alternatives', () => {
    const filter = ['port=80', 'port=53', '!pod=a*', 'label app=web'];
    const line = observeCommandLine({ namespaces: ['shop'], filter: [...filter, 'ns=data'] });
    expect(line).toBe("waggle observe --namespace shop --port 80 --label app=web port=53 '!pod=a*' ns=data");
    expect(readBack(line).filter).toBe(keyOf([...filter, 'ns=shop', 'ns=data']));
  });

  it('leaves to words what Hubble has no words for', () => {
    const of = (token: string) =>
      observeArguments({ namespaces: [], filter: [token] })
        .slice(2)
        .join(' ');
    expect(of('port=80,443')).toBe('--port 80,443');
    expect(of('port=80,8000-8099')).toBe('port=80,8000-8099');
    expect(of('to:port=8000-8099')).toBe('to:port=8000-8099');
    expect(of('proto=47')).toBe('proto=47');
    const values = FILTER_FIELDS.flatMap(({ name, separator, example, choices, sided }) =>
      [
        example,
        ...choices.map((choice) => `${name}${separator}${choice}`),
        ...(sided ? [`from:${example}`] : []),
      ].concat(['proto', 'verdict', 'direction'].includes(name) ? [`${name}=99`] : []),
    );
    for (const token of values) {
      const words = observeArguments({ namespaces: [], filter: [token] }).slice(2);
      const command = new Command('observe').argument('[filter...]');
      for (const option of filterOptions()) command.addOption(option);
      const given = noteFilters(command);
      command.exitOverride().parse(words, { from: 'user' });
      if (command.args.length > 0 || asksOwnFilters(command.opts())) continue;
      // Else it is asked of any Hubble, in Hubble's words.
      expect(() => compileFlowFilters(hubbleFilters(given), new FlowWindow(1)), token).not.toThrow();
    }
  });

  it('leaves out what the page leaves out', () => {
    expect(observeArguments({ namespaces: [], filter: ['port=banana', 'port=80'] })).toEqual([
      'waggle',
      'observe',
      '--port',
      '80',
    ]);
  });

  it('quotes for a shell', () => {
    expect(shellQuoted('it\'s $HOME `ls` "x" \\ ! *\n')).toBe(`'it'\\''s $HOME \`ls\` "x" \\ ! *\n'`);
    expect(shellQuoted('')).toBe("''");
    const parts = ["a'b", '$(touch /x)', '; rm -rf', '\\', ''];
    const line = parts.map(shellQuoted).join(' ');
    expect(execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })).toBe(
      parts.map((part) => `${part}\0`).join(''),
    );
  });

  it('reads back as the same filter, whatever the view', () => {
    const example = fc.constantFrom(
      ...FILTER_FIELDS.flatMap(({ example, sided, choices, name, separator }) => [
        example,
        ...choices.slice(0, 3).map((choice) => `${name}${separator}${choice}`),
        ...(sided ? [`from:${example}`, `to:${example}`] : []),
      ]),
      'pod=-odd*',
      'pod=shop/*x*',
    );
    const token = fc.tuple(fc.boolean(), example).map(([negated, text]) => (negated ? `!${text}` : text));
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom('shop', 'data', 'kube-system')),
        fc.uniqueArray(token, { maxLength: 6 }),
        fc.boolean(),
        (namespaces, filter, follow) => {
          const read = readBack(observeCommandLine({ namespaces, filter, follow }));
          const all = namespaces.length === 0 ? filter : [...filter, `ns=${namespaces.join(',')}`];
          expect(read.filter).toBe(keyOf(all));
          expect(read.follow ?? false).toBe(follow);
        },
      ),
      { numRuns: 60 },
    );
  });
});
