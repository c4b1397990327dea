/**
 * The TypeScript side of a C struct: field → [byte offset, byte size]. Names are the C names in camelCase.
 * `layout.spec.ts` holds each one to the type information of the built object.
 */
export interface StructTwin {
  /** The C struct's name. */
  readonly struct: string;
  readonly size: number;
  readonly fields: Readonly<Record<string, readonly [offset: number, size: number]>>;
}
