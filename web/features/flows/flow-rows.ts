import { VERDICT } from '#core/flow/verdict.ts';
import type { FlowRow } from '../../worker/shown-flow.ts';
import type { CellKind } from './cells.ts';
import type { FlowColumn } from './columns.ts';
import { ROW_HEIGHT } from './use-drawn-rows.ts';

/** What a table shows now. */
export interface RowsPicture {
  /** The first row to draw, and how many, fewer at the end of the table. */
  readonly first: number;
  readonly count: number;
  readonly total: number;
  /** Undefined until the worker has answered for this place; null where the flow is no longer held. */
  rowAt(index: number): FlowRow | null | undefined;
  /** Of the flow's element: it goes where its flow goes, as others come. */
  slotOf(index: number): number;
  readonly columns: readonly FlowColumn[];
  /** Left edge and width of each column, in pixels. */
  readonly tracks: readonly (readonly [left: number, width: number])[];
  /** Of the flow whose details are open. */
  readonly opened: string | null;
  /** Index of the row that the keyboard has reached. */
  readonly reached: number | null;
  /** Times are written anew when this changes. */
  readonly times: unknown;
  /** While it scrolls, rows may stand in the document in another order than on screen. */
  readonly scrolling: boolean;
  /** It holds still: all of it is there to be read. */
  readonly held: boolean;
  /** Rows that a person can see: from, and up to but without. */
  readonly seen: readonly [from: number, to: number];
}

interface RowElement {
  readonly element: HTMLElement;
  cells: HTMLElement[];
  /** What its cells say. */
  row: FlowRow | null | undefined;
  columns: readonly FlowColumn[] | undefined;
  tracks: RowsPicture['tracks'] | undefined;
  times: unknown;
  index: number;
}

const ROW =
  'absolute inset-x-0 top-0 h-[26px] cursor-default border-b border-line/60 text-xs leading-[25px] whitespace-nowrap [contain:layout_size_style] hover:bg-hover focus-visible:-outline-offset-2';
const CELL = 'absolute top-0 h-[25px]';
/** Rows out of view are written this much later, in milliseconds: at many flows per second most of them are never seen. */
const UNSEEN_MS = 300;
/** The same for a table that holds still: behind the frame that shows what a person did to have it so. */
const HELD_UNSEEN_MS = 50;
/** Pixels per character, at most: most texts are known to fit, and clipping costs as much as drawing. */
const WIDEST = { sans: 8, mono: 7.25 };

/**
 * The rows of the table: as many elements as are in view, and a few more. One that leaves at one end is the one that enters
 * at the other, and only its texts change: while the table scrolls, that is all a frame has time for.
 */
export class FlowRows {
  readonly #group: HTMLElement;
  readonly #rows = new Map<number, RowElement>();
  #picture: RowsPicture | undefined;
  #later: ReturnType<typeof setTimeout> | undefined;

  /** `group` is empty, and its children are nobody else's. */
  constructor(group: HTMLElement) {
    this.#group = group;
  }

  show(picture: RowsPicture): void {
    this.#picture = picture;
    this.#draw(picture, picture.scrolling);
  }

  #draw(picture: RowsPicture, unseenToo: boolean): void {
    const { first, total, seen } = picture;
    const count = Math.max(0, Math.min(picture.count, total - first));
    for (const [slot, { element }] of this.#rows) {
      if (slot < picture.count) continue;
      element.remove();
      this.#rows.delete(slot);
    }
    const left = new Set(this.#rows.values());
    for (let index = first; index < first + count; index++) {
      const slot = picture.slotOf(index);
      let row = this.#rows.get(slot);
      if (row === undefined) {
        row = {
          element: makeRow(),
          cells: [],
          row: undefined,
          columns: undefined,
          tracks: undefined,
          times: undefined,
          index: -1,
        };
        this.#rows.set(slot, row);
        this.#group.append(row.element);
      }
      left.delete(row);
      place(row, index, picture);
      const isSeen = index >= seen[0] && index < seen[1];
      if (isSeen || unseenToo || row.columns === undefined) fill(row, picture.rowAt(index), picture);
      else this.#writeLater();
    }
    for (const { element } of left) element.hidden = true;
    if (!picture.scrolling) this.#sort();
  }

  #writeLater(): void {
    this.#later ??= setTimeout(
      () => {
        this.#later = undefined;
        if (this.#picture !== undefined) this.#draw(this.#picture, true);
      },
      this.#picture?.held ? HELD_UNSEEN_MS : UNSEEN_MS,
    );
  }

  /** The row and the place that an element stands for. */
  rowOf(target: EventTarget | null): { row: FlowRow; index: number } | undefined {
    const found = this.#find(target);
    return found?.row == null ? undefined : { row: found.row, index: found.index };
  }

  /** Gives the cell that is pointed at its tooltip; those of all cells would have to be kept up to date. */
  hint(target: EventTarget | null): void {
    const found = this.#find(target);
    const cell = target instanceof Element ? target.closest<HTMLElement>('[role=cell]') : null;
    if (found?.row == null || cell === null) return;
    const column = found.columns?.[found.cells.indexOf(cell)];
    if (column !== undefined) cell.title = column.cell.hint?.(found.row) ?? cell.textContent;
  }

  #find(target: EventTarget | null): RowElement | undefined {
    const element = target instanceof Element ? target.closest('[role=row]') : null;
    return element === null ? undefined : this.#rows.values().find((row) => row.element === element);
  }

  /** Brings the document's order in line with the screen's, for who reads it in that order. The one in focus stays where it is. */
  #sort(): void {
    const wanted = [...this.#rows.values()].sort((a, b) => a.index - b.index).map(({ element }) => element);
    if (wanted.every((element, at) => this.#group.children[at] === element)) return;
    const focused = wanted.findIndex((element) => element.contains(document.activeElement));
    const pivot = focused < 0 ? longestRunStart(wanted, this.#group) : focused;
    for (let at = pivot - 1; at >= 0; at--) {
      const next = wanted[at + 1];
      if (wanted[at].nextSibling !== next) this.#group.insertBefore(wanted[at], next);
    }
    for (let at = pivot + 1; at < wanted.length; at++) {
      const before = wanted[at - 1];
      if (before.nextSibling !== wanted[at]) before.after(wanted[at]);
    }
  }
}

/** Of those that stand in order already, the first of the most: they need not be moved. */
function longestRunStart(wanted: readonly HTMLElement[], group: HTMLElement): number {
  let [best, length] = [0, 0];
  let start = 0;
  for (let at = 1; at <= wanted.length; at++) {
    if (at < wanted.length && wanted[at - 1].nextSibling === wanted[at] && wanted[at].parentNode === group) continue;
    if (at - start > length) [best, length] = [start, at - start];
    start = at;
  }
  return best;
}

function makeRow(): HTMLElement {
  const element = document.createElement('div');
  element.setAttribute('role', 'row');
  element.className = ROW;
  return element;
}

function place(row: RowElement, index: number, { opened, reached, rowAt }: RowsPicture): void {
  const { element } = row;
  const flow = rowAt(index);
  element.hidden = false;
  if (row.index !== index) {
    row.index = index;
    element.style.top = `${index * ROW_HEIGHT}px`;
    element.ariaRowIndex = String(index + 2);
    element.dataset.index = String(index);
  }
  const isOpen = opened !== null && flow?.id === opened;
  const selected = String(isOpen);
  if (element.ariaSelected !== selected) element.ariaSelected = selected;
  const tabIndex = index === reached ? 0 : -1;
  if (element.getAttribute('tabindex') !== String(tabIndex)) element.tabIndex = tabIndex;
  const { classList } = element;
  classList.toggle('bg-selected', isOpen);
  classList.toggle('shadow-[inset_2px_0_var(--accent)]', isOpen);
  classList.toggle('bg-selected/45', !isOpen && flow?.verdict === VERDICT.DROPPED);
}

function fill(row: RowElement, flow: FlowRow | null | undefined, picture: RowsPicture): void {
  const { columns, tracks, times } = picture;
  if (flow === null) {
    if (row.row !== null) tellGone(row);
    return;
  }
  if (row.columns !== columns) makeCells(row, columns);
  else if (row.tracks === tracks && row.times === times && isSame(row.row, flow)) return;
  if (row.tracks !== tracks) placeCells(row, tracks);
  if (flow === undefined && row.row !== undefined) for (const cell of row.cells) cell.hidden = true;
  else if (flow !== undefined && row.row === undefined) for (const cell of row.cells) cell.hidden = false;
  row.row = flow;
  row.times = times;
  if (flow === undefined) return;
  columns.forEach(({ cell: kind }, at) => {
    const cell = row.cells[at];
    kind.write(cell, flow);
    if (cell.title !== '') cell.title = '';
    const widest = isMono(kind) ? WIDEST.mono : WIDEST.sans;
    cell.classList.toggle('truncate', cell.textContent.length * widest > tracks[at][1]);
  });
}

const isMono = ({ look }: CellKind) => look.includes('numbers') || look.includes('font-mono');

function tellGone(row: RowElement): void {
  const cell = document.createElement('span');
  cell.setAttribute('role', 'cell');
  cell.className = 'px-3 text-faint';
  cell.textContent = 'overwritten by newer flows';
  row.element.replaceChildren(cell);
  row.row = null;
  row.cells = [];
  row.columns = undefined;
}

function makeCells(row: RowElement, columns: readonly FlowColumn[]): void {
  row.columns = columns;
  row.tracks = undefined;
  row.row = undefined;
  row.cells = columns.map(({ cell: kind, numeric }) => {
    const cell = document.createElement('span');
    cell.setAttribute('role', 'cell');
    cell.className = `${CELL} ${kind.look}${numeric ? ' text-right' : ''}`;
    kind.make?.(cell);
    return cell;
  });
  row.element.replaceChildren(...row.cells);
}

function placeCells(row: RowElement, tracks: RowsPicture['tracks']): void {
  row.tracks = tracks;
  row.cells.forEach(({ style }, at) => {
    style.left = `${tracks[at][0]}px`;
    style.width = `${tracks[at][1]}px`;
  });
}

function isSame(before: FlowRow | null | undefined, after: FlowRow | null | undefined): boolean {
  if (before == null || after == null) return before === after;
  // A row that stands for several grows; names of its ends may be known later than they were seen.
  return (
    before.id === after.id &&
    before.count === after.count &&
    before.source.name === after.source.name &&
    before.destination.name === after.destination.name
  );
}
