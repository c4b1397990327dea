import { describe, expect, it } from 'vitest';
import { FLOW_CSV_HEADER } from '#core/flow/flow-csv.ts';
import { exportFlows } from './flow-export.ts';
import { PageWindow } from './page-window.ts';
import type { ExportAnswer, ExportForm, RowsQuery } from './protocol.ts';
import { pushFlows, WEB } from './testing/sample-flows.ts';

const QUERY: RowsQuery = { selection: null, sort: null, group: false, anchor: null, first: 0, count: 0 };

async function write(window: PageWindow, form: ExportForm, query: Partial<RowsQuery> = {}, hear?: () => void) {
  const answers: ExportAnswer[] = [];
  const stop = new AbortController();
  for await (const answer of exportFlows(window, form, { ...QUERY, ...query }, stop.signal)) {
    answers.push(answer);
    hear?.();
  }
  const done = answers.at(-1)!;
  if (done.state !== 'done') throw new Error(`ended as ${done.state}`);
  return { lines: (await done.file.text()).split(/\r?\n/).slice(0, -1), rows: done.rows, answers };
}

describe('an export', () => {
  const window = new PageWindow(100);
  pushFlows(
    window,
    { bytesOriginal: 70, source: { ...WEB, pod: '=cmd|1', labels: ['k8s:a=1', 'k8s:b="x,y"'] } },
    { bytesOriginal: 90, verdict: 2, dropReason: 133 },
    { bytesOriginal: 80 },
  );
  const cell = (line: string, name: string) => line.split(',')[FLOW_CSV_HEADER.indexOf(name)];

  it('as CSV has a header and the rows in the order of the table', async () => {
    const { lines, rows } = await write(window, 'csv', { sort: { column: 'bytes', descending: true } });
    expect(lines[0]).toBe(FLOW_CSV_HEADER.join(','));
    expect(lines.slice(1).map((line) => cell(line, 'verdict'))).toEqual(['DROPPED', 'FORWARDED', 'FORWARDED']);
    expect(cell(lines[1], 'drop_reason')).toBe('Policy denied');
    expect(rows).toBe(3);
  });

  it('as CSV lets no name become a formula, and keeps quotes and commas', async () => {
    const { lines } = await write(window, 'csv');
    expect(cell(lines[3], 'source_pod')).toBe("'=cmd|1");
    expect(lines[3]).toContain('"k8s:a=1 k8s:b=""x,y"""');
  });

  it("as JSON lines is Hubble's, newest first, repeats one by one", async () => {
    const { lines } = await write(window, 'jsonl', { group: true });
    expect(lines.map((line) => JSON.parse(line).flow.verdict)).toEqual(['FORWARDED', 'DROPPED', 'FORWARDED']);
    expect(JSON.parse(lines[0])).toMatchObject({ node_name: 'kind/node-1', flow: { Summary: 'TCP Flags: SYN' } });
  });

  it('leaves out what is overwritten before it is written, and says how many there are', async () => {
    const many = (count: number) => Array.from({ length: count }, () => ({}));
    const small = new PageWindow(24_000);
    pushFlows(small, ...many(24_000));
    let disturbed = false;
    const { lines, rows, answers } = await write(small, 'jsonl', {}, () => {
      if (!disturbed) pushFlows(small, ...many(3_000));
      disturbed = true;
    });
    expect(answers[0]).toEqual({ state: 'running', done: 20_000, total: 24_000 });
    expect([lines.length, rows]).toEqual([21_000, 21_000]);
  });

  it('stops when it is cancelled', async () => {
    const stop = new AbortController();
    stop.abort();
    const answers = [];
    for await (const answer of exportFlows(window, 'csv', QUERY, stop.signal)) answers.push(answer);
    expect(answers).toEqual([{ state: 'stopped' }]);
  });
});
