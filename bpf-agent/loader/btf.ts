/**
 * BPF type format: the C types of an object (or of the kernel), as `Documentation/bpf/btf.rst` describes them. Read here
 * to hold C structs and their TypeScript twins together, and to notice when a pinned map's layout has changed.
 */
import { elfSection, text } from './elf.ts';

const KIND = {
  INT: 1, PTR: 2, ARRAY: 3, STRUCT: 4, UNION: 5, ENUM: 6, FWD: 7, TYPEDEF: 8, VOLATILE: 9, CONST: 10, RESTRICT: 11,
  FUNC: 12, FUNC_PROTO: 13, VAR: 14, DATASEC: 15, FLOAT: 16, DECL_TAG: 17, TYPE_TAG: 18, ENUM64: 19,
} as const; // biome-ignore format: numbers in a row

interface Member {
  readonly name: string;
  readonly type: number;
  /** In bytes. */
  readonly offset: number;
}

interface BtfType {
  readonly kind: number;
  readonly name: string;
  /** Bytes, or the type referred to, by kind. */
  readonly sizeOrType: number;
  readonly members: Member[];
  /** Array: element type and count. */
  readonly element: number;
  readonly count: number;
}

/** One field of a struct: where it lies and how wide it is, in bytes. */
export interface StructField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

export interface StructLayout {
  readonly size: number;
  readonly fields: readonly StructField[];
}

export class Btf {
  readonly #types: BtfType[];

  private constructor(types: BtfType[]) {
    this.#types = types;
  }

  /** Reads the types of a compiled object. @throws Error when it carries none. */
  static ofObject(image: Uint8Array): Btf {
    const section = elfSection(image, '.BTF');
    if (!section) throw new Error('the object carries no type information (.BTF section)');
    return new Btf(parse(section));
  }

  /** The layout of `struct name`, or undefined when there is none. */
  struct(name: string): StructLayout | undefined {
    const type = this.#types.find((one) => one.kind === KIND.STRUCT && one.name === name);
    if (!type) return undefined;
    return {
      size: type.sizeOrType,
      fields: type.members.map(({ name, type, offset }) => ({ name, offset, size: this.#sizeOf(type) })),
    };
  }

  /** Every byte that matters of a map's key and value, as text: equal texts mean interchangeable maps. */
  mapLayout(name: string): string | undefined {
    const variable = this.#types.find((one) => one.kind === KIND.VAR && one.name === name);
    const map = variable && this.#types[this.#resolve(variable.sizeOrType)];
    if (!map || map.kind !== KIND.STRUCT) return undefined;
    const parts = map.members
      .filter((member) => member.name === 'key' || member.name === 'value')
      .map((member) => `${member.name}=${this.#describe(this.#types[member.type]!.sizeOrType)}`);
    return parts.join(' ');
  }

  #resolve(id: number): number {
    let type = this.#types[id];
    let at = id;
    while (type && type.kind >= KIND.TYPEDEF && type.kind <= KIND.RESTRICT) {
      at = type.sizeOrType;
      type = this.#types[at];
    }
    return at;
  }

  #sizeOf(id: number): number {
    const type = this.#types[this.#resolve(id)];
    if (!type) return 0;
    if (type.kind === KIND.PTR) return 8;
    if (type.kind === KIND.ARRAY) return type.count * this.#sizeOf(type.element);
    return type.sizeOrType;
  }

  #describe(id: number): string {
    const resolved = this.#resolve(id);
    const type = this.#types[resolved];
    if (!type) return 'void';
    if (type.kind === KIND.ARRAY) return `[${type.count}]${this.#describe(type.element)}`;
    if (type.kind !== KIND.STRUCT && type.kind !== KIND.UNION) return `${this.#sizeOf(resolved)}`;
    const fields = type.members.map((member) => `${member.name}@${member.offset}:${this.#describe(member.type)}`);
    return `${type.sizeOrType}{${fields.join(',')}}`;
  }
}

function parse(section: Uint8Array): BtfType[] {
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  const start = view.getUint32(4, true);
  const typesAt = start + view.getUint32(8, true);
  const end = typesAt + view.getUint32(12, true);
  const strings = section.subarray(start + view.getUint32(16, true));
  const types: BtfType[] = [{ kind: 0, name: 'void', sizeOrType: 0, members: [], element: 0, count: 0 }];
  let at = typesAt;
  while (at < end) {
    const info = view.getUint32(at + 4, true);
    const kind = (info >>> 24) & 0x1f;
    const length = info & 0xffff;
    const type = {
      kind,
      name: text(strings, view.getUint32(at, true)),
      sizeOrType: view.getUint32(at + 8, true),
      members: [] as Member[],
      element: 0,
      count: 0,
    };
    at += 12;
    switch (kind) {
      case KIND.INT:
      case KIND.VAR:
      case KIND.DECL_TAG:
        at += 4;
        break;
      case KIND.ARRAY:
        type.element = view.getUint32(at, true);
        type.count = view.getUint32(at + 8, true);
        at += 12;
        break;
      case KIND.STRUCT:
      case KIND.UNION:
        for (let index = 0; index < length; index++, at += 12) {
          // With bit fields present, the upper byte of the offset is the field's width.
          const bits = view.getUint32(at + 8, true) & (info >>> 31 ? 0xffffff : 0xffffffff);
          type.members.push({
            name: text(strings, view.getUint32(at, true)),
            type: view.getUint32(at + 4, true),
            offset: bits >>> 3,
          });
        }
        break;
      case KIND.ENUM:
      case KIND.FUNC_PROTO:
        at += length * 8;
        break;
      case KIND.DATASEC:
      case KIND.ENUM64:
        at += length * 12;
        break;
    }
    types.push(type);
  }
  return types;
}
