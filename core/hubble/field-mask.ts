import { create, type DescMessage, isMessage, type Message } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import type { FieldMask } from '@bufbuild/protobuf/wkt';
import { FlowSchema } from '#proto/gen/flow/flow_pb.ts';

/** A path that `flow.Flow` does not have. */
export class FieldMaskError extends Error {
  override readonly name = 'FieldMaskError';
}

/** Which fields of a message are wanted, by proto name: all of one, or some of its own. */
export type MaskTree = ReadonlyMap<string, true | MaskTree>;

/** How much of a field is wanted. */
export type Wanted = 'all' | 'some' | 'none';

/** The paths of `flow.Flow` that a reader wants. */
export class FlowMask {
  readonly #tree: MaskTree | undefined;

  /** Without a mask, or with one without paths, everything is wanted. Throws FieldMaskError. */
  constructor(mask?: Pick<FieldMask, 'paths'>) {
    if (mask === undefined || mask.paths.length === 0) return;
    const tree = new Map<string, true | MaskTree>();
    for (const path of mask.paths) add(tree, path.split('.'), FlowSchema, path);
    this.#tree = tree;
  }

  /** True when nothing is left out. */
  get everything(): boolean {
    return this.#tree === undefined;
  }

  wants(field: string): Wanted {
    if (this.#tree === undefined) return 'all';
    const wanted = this.#tree.get(field);
    return wanted === undefined ? 'none' : wanted === true ? 'all' : 'some';
  }

  /** A copy of the flow, or of the part of it that stands in this field, with what is wanted. */
  project<M extends Message>(schema: DescMessage, message: M, field?: string): M {
    const tree = field === undefined ? this.#tree : this.#tree?.get(field);
    if (tree === undefined || tree === true) return message;
    return projected(schema, message, tree) as M;
  }
}

function add(tree: Map<string, true | MaskTree>, names: readonly string[], schema: DescMessage, path: string): void {
  const [name, ...rest] = names;
  const field = schema.fields.find((candidate) => candidate.name === name);
  if (field === undefined) {
    throw new FieldMaskError(`field_mask: "${path}" is not a path of flow.Flow: ${schema.typeName} has no "${name}"`);
  }
  if (tree.get(name) === true) return;
  if (rest.length === 0) {
    tree.set(name, true);
    return;
  }
  if (field.fieldKind !== 'message') {
    throw new FieldMaskError(`field_mask: "${path}" is not a path of flow.Flow: nothing is within "${name}"`);
  }
  const inner = (tree.get(name) as Map<string, true | MaskTree> | undefined) ?? new Map<string, true | MaskTree>();
  tree.set(name, inner);
  add(inner, rest, field.message, path);
}

function projected(schema: DescMessage, message: Message, tree: MaskTree): Message {
  const from = reflect(schema, message);
  const to = reflect(schema, create(schema));
  for (const [name, wanted] of tree) {
    const field = schema.fields.find((candidate) => candidate.name === name)!;
    if (!from.isSet(field)) continue;
    const value = from.get(field) as { message?: unknown };
    if (wanted !== true && field.fieldKind === 'message' && isMessage(value.message)) {
      to.set(field, reflect(field.message, projected(field.message, value.message, wanted)));
    } else {
      to.set(field, value);
    }
  }
  return to.message;
}
