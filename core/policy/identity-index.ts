import { protocols } from '../flow/protocol.ts';
import type { LabelSet, NamedPort } from '../identity/label-set.ts';
import { RESERVED_IDENTITY } from '../identity/reserved.ts';
import { podLabels, RESERVED_LABELS } from './identity-labels.ts';
import { holds, IN_NAMESPACE, type Labels, type Requirement, type Selector } from './selector.ts';

/** The identities a selector selects, as indexes into an {@link IdentityIndex}. */
export interface Members {
  /** Ascending. */
  readonly list: readonly number[];
  /** By index: 1 = selected. */
  readonly has: Uint8Array;
}

/**
 * Every identity of a cluster, reserved ones included, numbered densely from 0, with an index from labels to identities. A
 * selector's members are found once, however many policies use it.
 */
export class IdentityIndex {
  /** Identity number by index. */
  readonly numbers: readonly number[];
  readonly #labels: readonly Labels[];
  readonly #sets: readonly (LabelSet | undefined)[];
  readonly #indexOf = new Map<number, number>();
  /** Label key → value → indexes. */
  readonly #postings = new Map<string, Map<string, number[]>>();
  readonly #members = new Map<string, Members>();
  readonly #namedPorts = new Map<number, NamedPortTable>();

  constructor(pods: ReadonlyMap<number, LabelSet>) {
    const sets: (LabelSet | undefined)[] = [...RESERVED_LABELS].map(() => undefined);
    const labels = [...RESERVED_LABELS.values()];
    const numbers = [...RESERVED_LABELS.keys()];
    for (const [number, set] of pods) {
      numbers.push(number);
      sets.push(set);
      labels.push(podLabels(set));
    }
    this.numbers = numbers;
    this.#sets = sets;
    this.#labels = labels;
    for (const [index, number] of numbers.entries()) {
      this.#indexOf.set(number, index);
      for (const [key, value] of labels[index]!) this.#post(key, value, index);
    }
  }

  /** Undefined for a number that nobody has. */
  indexOf(identity: number): number | undefined {
    return this.#indexOf.get(identity);
  }

  /** Undefined for reserved identities. */
  labelSet(index: number): LabelSet | undefined {
    return this.#sets[index];
  }

  namespace(index: number): string | undefined {
    return this.#labels[index]?.get(IN_NAMESPACE);
  }

  /** A pod that is not known, or not yet: a rule that denies has to take it for whoever it may be, ports' names included. */
  isUnmanaged(index: number): boolean {
    return this.numbers[index] === RESERVED_IDENTITY.unmanaged;
  }

  members(selector: Selector): Members {
    const known = this.#members.get(selector.key);
    if (known !== undefined) return known;
    const list = this.#select(selector.requirements);
    const has = new Uint8Array(this.numbers.length);
    for (const index of list) has[index] = 1;
    const found = { list, has };
    // Policies come and go over one index.
    if (this.#members.size >= MOST_SELECTORS) this.#members.clear();
    this.#members.set(selector.key, found);
    return found;
  }

  /** Numbers of the ports that an identity's pods give this name; none for reserved identities. */
  namedPort(index: number, protocol: number, name: string): readonly number[] {
    let table = this.#namedPorts.get(index);
    if (table === undefined) {
      table = namedPortTable(this.#sets[index]?.namedPorts ?? []);
      this.#namedPorts.set(index, table);
    }
    return table.get(name)?.get(protocol) ?? NONE;
  }

  #post(key: string, value: string, index: number): void {
    let values = this.#postings.get(key);
    if (values === undefined) {
      values = new Map();
      this.#postings.set(key, values);
    }
    const indexes = values.get(value);
    if (indexes === undefined) values.set(value, [index]);
    else indexes.push(index);
  }

  /** Starts from the requirement that fewest meet, so that a selector costs what it selects. */
  #select(requirements: readonly Requirement[]): number[] {
    let fewest: readonly number[] | undefined;
    for (const entry of requirements) {
      const candidates = this.#candidates(entry);
      if (candidates !== undefined && (fewest === undefined || candidates.length < fewest.length)) fewest = candidates;
    }
    const candidates = fewest ?? this.numbers.map((_, index) => index);
    return candidates.filter((index) => requirements.every((entry) => holds(entry, this.#labels[index]!)));
  }

  /** Who meets it, ascending; undefined where absence counts too, so that no list says it. */
  #candidates({ key, operator, values }: Requirement): readonly number[] | undefined {
    const posted = this.#postings.get(key);
    if (operator === 'In') {
      if (values.length === 1) return posted?.get(values[0]!) ?? NONE;
      return values.flatMap((value) => posted?.get(value) ?? []).sort((a, b) => a - b);
    }
    // Nearly everybody is in a namespace: looking at all is cheaper than gathering them.
    if (operator !== 'Exists' || key === IN_NAMESPACE) return undefined;
    return [...(posted?.values() ?? [])].flat().sort((a, b) => a - b);
  }
}

const NONE: readonly number[] = [];
const MOST_SELECTORS = 20_000;

/** Name → protocol → ports. */
type NamedPortTable = Map<string, Map<number, number[]>>;

function namedPortTable(ports: readonly NamedPort[]): NamedPortTable {
  const table: NamedPortTable = new Map();
  for (const { name, protocol, port } of ports) {
    const number = protocols.parse(protocol);
    if (number === undefined) continue;
    const byProtocol = table.get(name) ?? new Map<number, number[]>();
    table.set(name, byProtocol);
    byProtocol.set(number, [...new Set([...(byProtocol.get(number) ?? []), port])]);
  }
  return table;
}
