import { protocols } from '#core/flow/protocol.ts';
import { type EdgeVerdict, edgeVerdict, type ModelCard, type ModelEdge } from './model.ts';

/** What is wrong with an expression, and where: characters [start, end). */
export interface ExpressionProblem {
  readonly start: number;
  readonly end: number;
  readonly message: string;
}

/** Terms of which all must hold: those about cards and those about arrows. */
interface Alternative {
  readonly card: readonly ((card: ModelCard) => boolean)[];
  readonly edge: readonly ((edge: ModelEdge) => boolean)[];
}

export interface Expression {
  /** Any of these. Never empty. */
  readonly alternatives: readonly Alternative[];
}

/**
 * Reads an expression about the map: `ns=shop port=3306`, `kind=world or verdict=dropped`, `!label:app=web rtt>5ms`. Words are
 * ANDed, with `and` between them or without, `or` stands between alternatives, `,` between values of one word, `*` stands for
 * anything, `!` turns a word round; a bare word is part of a name, or of the value of the label that names the cards.
 * Undefined for an empty text.
 */
export function parseExpression(
  text: string,
  nameLabel = '',
): Expression | { readonly problem: ExpressionProblem } | undefined {
  const alternatives: { card: Alternative['card'][number][]; edge: Alternative['edge'][number][] }[] = [];
  let current: (typeof alternatives)[number] | undefined;
  /** The word before, where it is one that stands between two conditions. */
  let joint: { readonly start: number; readonly end: number; readonly word: string } | undefined;
  const misplaced = ({ start, end, word }: NonNullable<typeof joint>) =>
    problem(start, end, `"${word}" stands between two conditions`);
  for (const { 0: word, index: start } of text.matchAll(/\S+/g)) {
    const end = start + word.length;
    if (/^(and|or)$/i.test(word)) {
      const here = { start, end, word: word.toLowerCase() };
      if (joint !== undefined || current === undefined) return misplaced(here);
      joint = here;
      continue;
    }
    const term = parseTerm(word, nameLabel);
    if ('message' in term) return problem(start, end, term.message);
    if (current === undefined || joint?.word === 'or') {
      current = { card: [], edge: [] };
      alternatives.push(current);
    }
    joint = undefined;
    if ('card' in term) current.card.push(term.card);
    else current.edge.push(term.edge);
  }
  if (joint !== undefined) return misplaced(joint);
  return alternatives.length === 0 ? undefined : { alternatives };
}

/** Edges the expression speaks of: their own terms hold, and those about cards at either end. */
export function matchesEdge(
  { alternatives }: Expression,
  edge: ModelEdge,
  source: ModelCard | undefined,
  destination: ModelCard | undefined,
): boolean {
  return alternatives.some(
    (alternative) =>
      alternative.edge.every((holds) => holds(edge)) &&
      (alternative.card.length === 0 ||
        [source, destination].some((card) => card !== undefined && alternative.card.every((holds) => holds(card)))),
  );
}

/** Cards the expression speaks of: their own terms hold, and those about arrows for at least one of theirs. */
export function matchesCard({ alternatives }: Expression, card: ModelCard, edges: readonly ModelEdge[]): boolean {
  return alternatives.some(
    (alternative) =>
      alternative.card.every((holds) => holds(card)) &&
      (alternative.edge.length === 0 || edges.some((edge) => alternative.edge.every((holds) => holds(edge)))),
  );
}

/** Whether some alternative speaks of arrows. */
export function speaksOfEdges({ alternatives }: Expression): boolean {
  return alternatives.some(({ edge }) => edge.length > 0);
}

type Term =
  | { readonly card: (card: ModelCard) => boolean }
  | { readonly edge: (edge: ModelEdge) => boolean }
  | { readonly message: string };

const COMPARISON = /^(!?)([a-z][a-z0-9]*)(!=|=|>=|<=|>|<)(.*)$/i;

function parseTerm(word: string, nameLabel: string): Term {
  const label = /^(!?)label:([^=!]+)(?:(!?)=(.*))?$/i.exec(word);
  if (label !== null) return labelTerm((label[1] === '!') !== (label[3] === '!'), label[2], label[4]);
  const parts = COMPARISON.exec(word);
  if (parts === null) {
    const negated = word.startsWith('!');
    const name = negated ? word.slice(1) : word;
    if (name === '') return { message: 'nothing stands after "!"' };
    const test = pattern(`*${name}*`);
    return { card: (card) => namesOf(card, nameLabel).some(test) !== negated };
  }
  const [, sign, field, comparison, value] = parts;
  if (value === '') return { message: `${field} needs a value` };
  const negated = (sign === '!') !== (comparison === '!=');
  const operator = comparison === '!=' ? '=' : comparison;
  const known = ALIASES[field.toLowerCase()] ?? field.toLowerCase();
  const text = TEXTS[known];
  if (text !== undefined) {
    if (operator !== '=') return { message: `${field} can only be compared with "=" or "!="` };
    const tests = value
      .split(',')
      .filter((each) => each !== '')
      .map(pattern);
    const holds = (values: readonly string[]) => values.some((each) => tests.some((test) => test(each))) !== negated;
    return 'card' in text ? { card: (card) => holds(text.card(card)) } : { edge: (edge) => holds(text.edge(edge)) };
  }
  const quantity = QUANTITIES[known];
  if (quantity !== undefined) {
    const number = readNumber(value, ['rtt', 'p50', 'p99'].includes(known));
    if (number === undefined) return { message: `"${value}" is not a number that ${field} could have` };
    const compare = (actual: number) => COMPARE[operator](actual, number) !== negated;
    return 'card' in quantity
      ? { card: (card) => compare(quantity.card(card)) }
      : { edge: (edge) => compare(quantity.edge(edge)) };
  }
  return {
    message: `there is no "${field}"; there are ${[...Object.keys(TEXTS), ...Object.keys(QUANTITIES)].join(', ')}, and of a label label:${field}${comparison}${value}`,
  };
}

/** What a card may be called on the map. */
function namesOf({ name, labels }: ModelCard, nameLabel: string): readonly string[] {
  if (nameLabel === '') return [name];
  return [name, ...labels.map(splitLabel).flatMap(([key, value]) => (key === nameLabel ? [value] : []))];
}

function labelTerm(negated: boolean, key: string, value: string | undefined): Term {
  const keyTest = pattern(key);
  const valueTest = value === undefined ? () => true : pattern(value);
  return {
    card: ({ labels }) =>
      labels.some((label) => {
        const [name, text] = splitLabel(label);
        return keyTest(name) && valueTest(text);
      }) !== negated,
  };
}

/** `k8s:app=web` → `app`, `web`. */
export function splitLabel(label: string): readonly [key: string, value: string] {
  const start = label.startsWith('k8s:') ? 4 : 0;
  const at = label.indexOf('=', start);
  return at < 0 ? [label.slice(start), ''] : [label.slice(start, at), label.slice(at + 1)];
}

const VERDICTS: Record<EdgeVerdict, readonly string[]> = {
  forwarded: ['forwarded'],
  dropped: ['dropped'],
  mixed: ['mixed', 'dropped', 'forwarded'],
  audit: ['audit'],
  quiet: ['quiet'],
};

/** As filters, people and other tools call them. */
const ALIASES: Readonly<Record<string, string>> = {
  namespace: 'ns',
  workload: 'name',
  protocol: 'proto',
  replicas: 'pods',
};

type Text = { card(card: ModelCard): readonly string[] } | { edge(edge: ModelEdge): readonly string[] };

const TEXTS: Record<string, Text> = {
  name: { card: ({ name }) => [name] },
  ns: { card: ({ namespace }) => [namespace] },
  kind: { card: ({ kind, workloadKind }) => (workloadKind === '' ? [kind] : [workloadKind, kind]) },
  node: { card: ({ nodes }) => nodes },
  cluster: { card: ({ cluster }) => [cluster] },
  port: { edge: ({ port }) => [String(port)] },
  proto: { edge: ({ protocol }) => [protocols.name(protocol)] },
  verdict: { edge: ({ stats }) => VERDICTS[edgeVerdict(stats)] },
};

type Quantity = { card(card: ModelCard): number } | { edge(edge: ModelEdge): number };

const QUANTITIES: Record<string, Quantity> = {
  pods: { card: ({ replicas, members }) => Math.max(replicas, members) },
  rate: { edge: ({ stats }) => stats.flows },
  bytes: { edge: ({ stats }) => stats.bytes + stats.replyBytes },
  rtt: { edge: ({ stats }) => stats.rttMicros },
  drops: { edge: ({ stats }) => stats.dropped },
  requests: { edge: ({ stats }) => stats.requests },
  failures: { edge: ({ stats }) => stats.failures },
  p50: { edge: ({ stats }) => stats.p50Micros },
  p99: { edge: ({ stats }) => stats.p99Micros },
};

const COMPARE: Record<string, (a: number, b: number) => boolean> = {
  '=': (a, b) => a === b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
};

const UNITS: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };
const TIMES: Record<string, number> = { '': 1e3, us: 1, µs: 1, ms: 1e3, s: 1e6 };

/** `1.5k`; of a round trip `5ms`, in microseconds, milliseconds where no unit is given. */
function readNumber(text: string, isTime: boolean): number | undefined {
  const parts = /^(\d{1,12}(?:\.\d{1,6})?)([a-zµ]*)$/i.exec(text);
  const unit = (isTime ? TIMES : UNITS)[parts?.[2].toLowerCase() ?? 'none'];
  return parts === null || unit === undefined ? undefined : Number(parts[1]) * unit;
}

/** A text with `*` for anything, letter case alike. Linear: pieces are looked for one after the other. */
function pattern(glob: string): (text: string) => boolean {
  const pieces = glob.toLowerCase().split('*');
  const first = pieces[0];
  const last = pieces[pieces.length - 1];
  return (text) => {
    const lower = text.toLowerCase();
    if (pieces.length === 1) return lower === first;
    if (!lower.startsWith(first) || !lower.endsWith(last) || lower.length < first.length + last.length) return false;
    let at = first.length;
    for (const piece of pieces.slice(1, -1)) {
      const found = lower.indexOf(piece, at);
      if (found < 0 || found + piece.length > lower.length - last.length) return false;
      at = found + piece.length;
    }
    return true;
  };
}

function problem(start: number, end: number, message: string): { problem: ExpressionProblem } {
  return { problem: { start, end, message } };
}
