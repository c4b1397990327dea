import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';

/** A request of any kind with everything in it, each text the same. */
export function filledRequest(descriptor: DescMessage, text: string, depth = 3): Record<string, unknown> {
  const value = (field: DescField): unknown => {
    if (field.fieldKind === 'enum') return 1;
    if (field.fieldKind === 'message') return depth === 0 ? undefined : filledRequest(field.message, text, depth - 1);
    if (field.fieldKind === 'list') {
      if (field.listKind === 'message') return depth === 0 ? [] : [filledRequest(field.message, text, depth - 1)];
      return field.listKind === 'enum' ? [1] : [scalar(field.scalar, text)];
    }
    return field.fieldKind === 'scalar' ? scalar(field.scalar, text) : {};
  };
  return Object.fromEntries(
    descriptor.fields.filter(({ oneof }) => oneof === undefined).map((f) => [f.localName, value(f)]),
  );
}

const LONG = [ScalarType.INT64, ScalarType.UINT64, ScalarType.FIXED64, ScalarType.SFIXED64, ScalarType.SINT64];

function scalar(type: ScalarType, text: string): unknown {
  if (type === ScalarType.STRING) return text;
  if (type === ScalarType.BOOL) return true;
  if (type === ScalarType.BYTES) return new TextEncoder().encode(text);
  return LONG.includes(type) ? 1n : 1;
}
