import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvLine } from './csv.ts';

/** A reader by the grammar of RFC 4180, section 2. */
function read(text: string): string[][] {
  const lines: string[][] = [[]];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (cell.lastIndex < text.length) {
    const match = cell.exec(text);
    if (match === null) throw new Error(`not CSV: ${JSON.stringify(text)}`);
    lines[lines.length - 1].push(match[1]?.replaceAll('""', '"') ?? match[2]);
    if (match[3] === '\r\n') lines.push([]);
  }
  return lines.slice(0, -1);
}

describe('CSV', () => {
  it('quotes what has to be quoted', () => {
    expect(csvLine(['plain', 'a,b', 'say "hi"', 'two\r\nlines', '', 42])).toBe(
      'plain,"a,b","say ""hi""","two\r\nlines",,42\r\n',
    );
  });

  it.each(['=1+1', '+1', '-2+3', '@SUM(A1)', '\t=1', '\r=1', ' =1', '＝1', '|cmd', '%0A'])(
    'makes text of %j',
    (text) => {
      const [[cell]] = read(csvLine([text]));
      expect(cell).toBe(`'${text}`);
    },
  );

  it('leaves numbers and ordinary names alone', () => {
    expect(csvLine([-5, 'web-1', '10.0.0.1', 'k8s:app=web', 'fd00::1'])).toBe(
      '-5,web-1,10.0.0.1,k8s:app=web,fd00::1\r\n',
    );
  });

  it('reads back as what was written', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), (cells) => {
        const [line] = read(csvLine(cells));
        expect(line.map((cell, index) => (cell === `'${cells[index]}` ? cells[index] : cell))).toEqual(cells);
      }),
    );
  });
});
