import { allocateColumns, type FlowColumns } from '#core/flow/columns.ts';
import { FLOW_FIELD_NAMES, type FlowFieldName } from '#core/flow/fields.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { flowId, type NodeBoot } from '#core/flow/node-boot.ts';

type Column = FlowColumns[FlowFieldName];
type MutableColumns = { -readonly [K in FlowFieldName]: Column };

/** Sequences are kept in two parts: this much in the row, the rest with the node. */
const SEQUENCE_STEP = 2 ** 32;

/** Columns whose values nearly always fit into half of what they are given; a greater one widens its column. */
const NARROW: readonly FlowFieldName[] = [
  'source',
  'destination',
  'packetsOriginal',
  'packetsReply',
  'rttMicros',
  'policy',
];

interface NodePart extends NodeBoot {
  /** To be added to the sequences of the rows of this node. */
  readonly sequenceBase: number;
}

/**
 * The flows a page holds. Like any window, but it begins small and grows with what it holds up to its capacity, and its
 * columns are as narrow as their values allow: a page has 64 MB for a million flows. Read rows through `columns` each
 * time, as its arrays are replaced when they grow; sequences through `sequence` only.
 */
export class PageWindow extends FlowWindow {
  static readonly #FIRST_ROWS = 4_096;
  #rows: number;
  /** By node number and high part of the sequence: the number of the node with that base. */
  readonly #parts = new Map<string, number>();

  constructor(capacity: number) {
    const rows = Math.min(capacity, PageWindow.#FIRST_ROWS);
    const columns = allocateColumns(rows) as MutableColumns;
    columns.sequence = new Uint32Array(rows);
    for (const name of NARROW) columns[name] = new Uint16Array(rows);
    super(capacity, columns as unknown as FlowColumns);
    this.#rows = rows;
  }

  override push(from: FlowColumns, row: number): number {
    const slot = this.slot(this.end);
    if (slot >= this.#rows) this.#grow();
    const columns = this.columns as unknown as MutableColumns;
    for (const name of NARROW) {
      if (from[name][row] > 0xffff && columns[name] instanceof Uint16Array) {
        const wide = new Uint32Array(columns[name].length);
        wide.set(columns[name]);
        columns[name] = wide;
      }
    }
    const high = Math.floor(from.sequence[row] / SEQUENCE_STEP);
    if (high > 0) from.node[row] = this.#part(from.node[row], high);
    return super.push(from, row);
  }

  /** A row's sequence within its node boot. */
  sequence(slot: number): number {
    const { sequenceBase = 0 } = this.nodes[this.columns.node[slot]] as Partial<NodePart>;
    return sequenceBase + this.columns.sequence[slot];
  }

  id(slot: number): string {
    return flowId(this.nodes[this.columns.node[slot]], this.sequence(slot));
  }

  /** Position of the flow with this id, from the newest back; undefined when it is not held. */
  find(boot: NodeBoot, sequence: number): number | undefined {
    const wanted = new Uint8Array(this.nodes.length);
    let any = false;
    for (const [number, node] of this.nodes.entries()) {
      if (node.bootId !== boot.bootId || node.node !== boot.node || node.cluster !== boot.cluster) continue;
      wanted[number] = 1;
      any = true;
    }
    if (!any) return undefined;
    const low = sequence % SEQUENCE_STEP;
    for (let position = this.end - 1; position >= this.start; position--) {
      const slot = this.slot(position);
      if (this.columns.sequence[slot] !== low || wanted[this.columns.node[slot]] === 0) continue;
      if (this.sequence(slot) === sequence) return position;
    }
    return undefined;
  }

  /** Bytes that the columns take. */
  get bytes(): number {
    return FLOW_FIELD_NAMES.reduce((sum, name) => sum + this.columns[name].byteLength, 0);
  }

  #grow(): void {
    this.#rows = Math.min(this.capacity, this.#rows * 2);
    const columns = this.columns as unknown as MutableColumns;
    // One after the other, so that no more than one column is there twice.
    for (const name of FLOW_FIELD_NAMES) {
      const column = columns[name];
      const grown = new (column.constructor as new (length: number) => Column)(this.#rows);
      grown.set(column as never);
      columns[name] = grown;
    }
  }

  #part(node: number, high: number): number {
    const key = `${node}/${high}`;
    let number = this.#parts.get(key);
    if (number === undefined) {
      if (this.nodes.length > 0xffff) throw new RangeError('more than 65,536 node boots in one window');
      const part: NodePart = { ...this.nodes[node], sequenceBase: high * SEQUENCE_STEP };
      number = this.nodes.push(part) - 1;
      this.#parts.set(key, number);
    }
    return number;
  }
}
