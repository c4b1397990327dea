import { describe, expect, it } from 'vitest';
import { FLOW_COLUMN_IDS } from '../../worker/flow-column.ts';
import {
  DEFAULT_CHOICE,
  movedBefore,
  movedBy,
  parseChoice,
  printChoice,
  resized,
  shownColumns,
  toggled,
  unsized,
} from './column-choice.ts';

const COLUMNS = [
  { id: 'time', from: 400 },
  { id: 'source', from: 0 },
  { id: 'bytes', from: null },
  { id: 'count', from: 0 },
] as const;

describe('columns', () => {
  it('are those that fit until somebody chooses; the count comes with aggregation', () => {
    expect(shownColumns(DEFAULT_CHOICE, COLUMNS, 300, false)).toEqual(['source']);
    expect(shownColumns(DEFAULT_CHOICE, COLUMNS, 500, true)).toEqual(['time', 'count', 'source']);
    const chosen = toggled(DEFAULT_CHOICE, 'bytes', ['time', 'source']);
    expect(shownColumns(chosen, COLUMNS, 300, false)).toEqual(['time', 'source', 'bytes']);
    expect(shownColumns(toggled(chosen, 'time', ['time', 'source', 'bytes']), COLUMNS, 300, false)).toEqual([
      'source',
      'bytes',
    ]);
  });

  it('never all go', () => {
    const only = toggled(DEFAULT_CHOICE, 'time', ['time', 'source']);
    expect(toggled(only, 'source', ['source'])).toBe(only);
  });

  it('move by one among those shown, and before any other', () => {
    const shown = ['time', 'source', 'port'] as const;
    const orderOf = (choice: typeof DEFAULT_CHOICE) =>
      choice.order.filter((id) => (shown as readonly string[]).includes(id));
    expect(orderOf(movedBy(DEFAULT_CHOICE, 'time', 1, shown))).toEqual(['source', 'time', 'port']);
    expect(orderOf(movedBy(DEFAULT_CHOICE, 'port', -1, shown))).toEqual(['time', 'port', 'source']);
    expect(movedBy(DEFAULT_CHOICE, 'time', -1, shown)).toBe(DEFAULT_CHOICE);
    expect(orderOf(movedBefore(DEFAULT_CHOICE, 'time', null))).toEqual(['source', 'port', 'time']);
    expect(new Set(movedBefore(DEFAULT_CHOICE, 'time', 'port').order).size).toBe(FLOW_COLUMN_IDS.length);
  });

  it('have widths within reason, and their own again', () => {
    const wide = resized(DEFAULT_CHOICE, 'time', 9_999);
    expect(wide.widths).toEqual({ time: 800 });
    expect(resized(wide, 'time', 1).widths).toEqual({ time: 40 });
    expect(unsized(wide, 'time').widths).toEqual({});
  });

  it('are remembered', () => {
    const choice = resized(movedBefore(toggled(DEFAULT_CHOICE, 'bytes', ['time']), 'bytes', 'time'), 'bytes', 77);
    expect(parseChoice(printChoice(choice))).toEqual(choice);
  });

  it.each([null, '', 'nonsense', '42', 'null', '[]', '{"order":7,"shown":{},"widths":[3]}'])(
    'are the usual ones where %j was remembered',
    (text) => expect(parseChoice(text)).toEqual(DEFAULT_CHOICE),
  );

  it('of another build find their places', () => {
    const { order, shown } = parseChoice('{"order":["bytes","colour","source","bytes"],"shown":["colour","bytes"]}');
    expect(order.indexOf('time')).toBe(0);
    expect(order.indexOf('bytes')).toBeLessThan(order.indexOf('source'));
    expect([...order].sort()).toEqual([...FLOW_COLUMN_IDS].sort());
    expect(shown).toEqual(['bytes']);
  });
});
