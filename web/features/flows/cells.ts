import { reservedIdentities } from '#core/identity/reserved.ts';
import { formatMoment } from '../../format/time.ts';
import { verdictLook } from '../../ui/verdict.tsx';
import type { FlowEnd, FlowRow } from '../../worker/shown-flow.ts';

/** What is told about a flow in one place of its row, written straight into elements that are used for one flow after another. */
export interface CellKind {
  /** Classes of the cell, whatever it says. */
  readonly look: string;
  /** Fills an empty cell with what `write` fills in. Absent where text is all there is. */
  make?(cell: HTMLElement): void;
  write(cell: HTMLElement, row: FlowRow): void;
  /** More about it, for who points at it. Absent: the cell's own text. */
  hint?(row: FlowRow): string;
}

const NOTHING = '–';
const SEVERAL = 'several';
const FAINT = 'text-faint!';

/** One text. Nothing is a dash; of a row that stands for several, what differs is not told. */
export function words(
  look: string,
  textOf: (row: FlowRow) => string,
  isSeveral: (row: FlowRow) => boolean | undefined = () => false,
): CellKind {
  return {
    look,
    write(cell, row) {
      const several = isSeveral(row) === true;
      const text = several ? SEVERAL : textOf(row);
      cell.classList.toggle(FAINT, several || text === '');
      setText(cell, text || NOTHING);
    },
  };
}

export const time = (textOf: (ms: number) => string): CellKind => ({
  look: 'numbers text-dim',
  write: (cell, row) => setText(cell, textOf(row.time)),
  hint: (row) => formatMoment(row.time),
});

/** One end of the connection: name and, fainter, the namespace. */
export function end(endOf: (row: FlowRow) => FlowEnd): CellKind {
  return {
    look: '',
    make: (cell) => cell.append('', faint()),
    write(cell, row) {
      const { name, namespace } = endOf(row);
      setText(cell, `${name} `);
      setText(cell.lastElementChild!, namespace);
    },
    hint: (row) => endHint(endOf(row)),
  };
}

/** The end that was asked, with the way the packet went. Characters, as rows come and go by the hundred. */
export const destination: CellKind = {
  look: '',
  make(cell) {
    const way = faint();
    way.classList.add('mr-1.5');
    const spoken = document.createElement('span');
    spoken.className = 'sr-only';
    spoken.hidden = true;
    spoken.textContent = ' replies to it: ';
    cell.append(way, spoken, '', faint());
  },
  write(cell, row) {
    const [way, spoken] = cell.children as unknown as [HTMLElement, HTMLElement];
    const isReply = row.reply && row.count === 1;
    setText(way, isReply ? '←' : '→');
    if (isReply) way.removeAttribute('aria-hidden');
    else way.ariaHidden = 'true';
    spoken.hidden = !isReply;
    const { name, namespace } = row.destination;
    setData(cell.childNodes[2] as Text, `${name} `);
    setText(cell.lastElementChild!, namespace);
  },
  hint: (row) => `${endHint(row.destination)}${row.reply && row.count === 1 ? ' · a reply' : ''}`,
};

export const verdict: CellKind = {
  look: '',
  make(cell) {
    const dot = document.createElement('span');
    dot.ariaHidden = 'true';
    cell.append(dot, '');
  },
  write(cell, row) {
    const { word, text, dot } = verdictLook(row.verdict);
    if (cell.dataset.verdict === word) return;
    cell.dataset.verdict = word;
    cell.firstElementChild!.className = `mr-1.5 inline-block size-[7px] rounded-full align-middle ${dot}`;
    for (const name of [...cell.classList])
      if (name.endsWith('-text') || name === 'text-dim') cell.classList.remove(name);
    cell.classList.add(text);
    setData(cell.lastChild as Text, word);
  },
};

export function identityText({ identity }: FlowEnd): string {
  return identity === 0 ? '' : identity < 256 ? reservedIdentities.name(identity) : `${identity}`;
}

function endHint({ name, pod, address, port }: FlowEnd): string {
  const host = address.includes(':') && port > 0 ? `[${address}]` : address;
  return `${pod || name} · ${port > 0 ? `${host}:${port}` : host}`;
}

function faint(): HTMLElement {
  const span = document.createElement('span');
  span.className = 'text-faint';
  return span;
}

/** Of the element's first text. */
function setText(element: Element, text: string): void {
  const { firstChild } = element;
  if (firstChild instanceof Text) setData(firstChild, text);
  else element.prepend(text);
}

function setData(node: Text, text: string): void {
  if (node.data !== text) node.data = text;
}
