import { type Document, isMap, isNode, isScalar, LineCounter, parseAllDocuments } from 'yaml';

/** A place in a manifest; lines and columns count from 1. Both are 0 where the file as a whole is meant. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

export interface Problem extends Place {
  message: string;
}

export function formatProblem({ file, line, column, message }: Problem): string {
  return line === 0 ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`;
}

export type Path = (string | number)[];

/** One object of a manifest file with the way back to where each of its fields stands. */
export interface ManifestDocument {
  value: unknown;
  /** Where the field at a path stands; for a missing one, its nearest parent. */
  place(path: Path): Place;
  /** Where the name of the field at a path stands: for a block, that is the line above its value. */
  placeOfName(path: Path): Place;
}

export interface ParsedManifest {
  documents: ManifestDocument[];
  problems: Problem[];
}

/** Largest manifest read, in characters. */
export const MAX_MANIFEST_LENGTH = 8 * 1024 * 1024;
/** How often a manifest's aliases may be resolved: enough for any honest one, too few to blow up. */
const MAX_ALIASES = 200;
const TOO_DEEP = 'the manifest is nested too deeply to be read';

/**
 * Splits YAML or JSON text into objects: many documents, and Lists (also nested ones) flattened. A document that
 * cannot be parsed becomes a problem with its place; the documents beside it are still returned.
 */
export function parseManifest(file: string, text: string): ParsedManifest {
  if (text.length > MAX_MANIFEST_LENGTH) {
    const message = `the manifest has ${text.length} characters; at most ${MAX_MANIFEST_LENGTH} are read`;
    return { documents: [], problems: [{ file, line: 1, column: 1, message }] };
  }
  const lines = new LineCounter();
  const documents: ManifestDocument[] = [];
  const problems: Problem[] = [];
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  for (const document of parseDocuments(text, lines)) {
    if (document === 'too deep') {
      problems.push({ file, line: 1, column: 1, message: TOO_DEEP });
      continue;
    }
    if (document.errors.length > 0) {
      const { pos, code, message } = document.errors[0]!;
      problems.push({ ...placeAt(pos[0]), message: code === 'RESOURCE_EXHAUSTION' ? TOO_DEEP : message });
      continue;
    }
    try {
      const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
      if (value === null || value === undefined) continue;
      flatten(value, [], document, placeAt, documents);
    } catch (error) {
      const exhausted = error instanceof RangeError;
      problems.push({ ...placeAt(document.range[0]), message: exhausted ? TOO_DEEP : (error as Error).message });
    }
  }
  return { documents, problems };
}

/** The parser recurses: text that nests without end exhausts the stack, and is refused as a whole. */
function parseDocuments(text: string, lines: LineCounter): readonly (Document.Parsed | 'too deep')[] {
  try {
    const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
    return Array.isArray(parsed) ? parsed : [];
  } catch (error) {
    if (error instanceof RangeError) return ['too deep'];
    throw error;
  }
}

function flatten(
  value: unknown,
  path: Path,
  document: Document.Parsed,
  placeAt: (offset: number) => Place,
  into: ManifestDocument[],
): void {
  const list = value as { kind?: unknown; apiVersion?: unknown; items?: unknown };
  if (typeof list === 'object' && list !== null && Array.isArray(list.items) && isListKind(list.kind)) {
    for (const [index, item] of list.items.entries()) {
      flatten(typed(item, list), [...path, 'items', index], document, placeAt, into);
    }
    return;
  }
  into.push({
    value,
    place: (below) => placeAt(offsetOf(document, [...path, ...below])),
    placeOfName: (below) => placeAt(nameOffsetOf(document, [...path, ...below])),
  });
}

/** In a list of one kind, such as an API server's PodList, the items do not say what they are. */
function typed(item: unknown, { kind, apiVersion }: { kind?: unknown; apiVersion?: unknown }): unknown {
  const isBare = typeof item === 'object' && item !== null && !Array.isArray(item) && !Object.hasOwn(item, 'kind');
  if (!isBare || typeof kind !== 'string' || kind === 'List') return item;
  return { apiVersion, ...item, kind: kind.slice(0, -'List'.length) };
}

function isListKind(kind: unknown): boolean {
  return kind === undefined || (typeof kind === 'string' && kind.endsWith('List'));
}

function offsetOf(document: Document.Parsed, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? document.range[0];
}

function nameOffsetOf(document: Document.Parsed, path: Path): number {
  const parent = document.getIn(path.slice(0, -1), true);
  const name = path.at(-1);
  const items = isMap(parent) ? parent.items : [];
  const key = items.map((pair) => pair.key).find((node) => isScalar(node) && node.value === name);
  return isNode(key) && key.range ? key.range[0] : offsetOf(document, path);
}
