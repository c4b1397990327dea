import { rowTimeNs } from '#core/flow/columns.ts';
import { csvLine } from '#core/flow/csv.ts';
import { FLOW_CSV_HEADER, flowCsvCells } from '#core/flow/flow-csv.ts';
import { hubbleResponseJson } from '#core/hubble/flow-json.ts';
import { chooseOrder } from './choose-order.ts';
import type { PageWindow } from './page-window.ts';
import type { ExportAnswer, ExportForm, RowsQuery } from './protocol.ts';

/** Rows written without a pause: some milliseconds of the worker's time, in which it hears nothing else. */
const ROWS_PER_TURN = 1_000;
const ROWS_PER_REPORT = 20_000;

const MEDIA_TYPES: Record<ExportForm, string> = {
  csv: 'text/csv;charset=utf-8;header=present',
  jsonl: 'application/jsonl',
};

/**
 * Writes the flows of a table as a file, in the table's order, repeats one by one. Flows that the window overwrites before
 * they are written are left out; `rows` says how many there are. Yields how far it has come.
 */
export async function* exportFlows(
  window: PageWindow,
  form: ExportForm,
  query: RowsQuery,
  signal: AbortSignal,
): AsyncGenerator<ExportAnswer> {
  const order = chooseOrder(window, { selection: query.selection, sort: query.sort, group: false });
  const anchor = order.update(query.anchor);
  const { total } = order;
  const parts: string[] = form === 'csv' ? [csvLine(FLOW_CSV_HEADER)] : [];
  let text = '';
  let rows = 0;
  // By arrival the index counts from the newest, which stays where it is while others come.
  for (let index = 0; index < total && !signal.aborted; index++) {
    const position = order.position(index);
    if (position >= window.start && position < anchor) {
      text += form === 'csv' ? csvLineOf(window, position) : jsonLineOf(window, position);
      rows++;
    }
    if ((index + 1) % ROWS_PER_TURN === 0) {
      parts.push(text);
      text = '';
      if ((index + 1) % ROWS_PER_REPORT === 0) yield { state: 'running', done: index + 1, total };
      await nextTurn();
    }
  }
  if (signal.aborted) {
    yield { state: 'stopped' };
    return;
  }
  parts.push(text);
  yield { state: 'done', file: new Blob(parts, { type: MEDIA_TYPES[form] }), rows };
}

function jsonLineOf(window: PageWindow, position: number): string {
  const slot = window.slot(position);
  return `${JSON.stringify(hubbleResponseJson(window.columns, slot, window, window.sequence(slot)))}\n`;
}

function csvLineOf(window: PageWindow, position: number): string {
  const slot = window.slot(position);
  return csvLine(flowCsvCells(window.columns, slot, window, rowTimeNs(window.columns, slot), window.id(slot)));
}

/** Unlike a timer of 0 ms, a message is not delayed when it comes again and again. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
