import type { ManifestDocument, Path, Problem } from './document.ts';

/** Walks an object's fields and gathers what is wrong, each with the place of the field that is. */
export class FieldCheck {
  readonly problems: Problem[] = [];
  readonly #document: ManifestDocument;
  /** Stands before every message: which object is meant. */
  subject = '';

  constructor(document: ManifestDocument) {
    this.#document = document;
  }

  fail(path: Path, message: string): void {
    const field = formatPath(path);
    const where = [this.subject, field].filter(Boolean).join(': ');
    this.problems.push({ ...this.#document.place(path), message: where ? `${where} ${message}` : message });
  }

  at(path: Path): unknown {
    let value: unknown = this.#document.value;
    for (const step of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
      value = (value as Record<string | number, unknown>)[step];
    }
    return value;
  }

  map(path: Path, required = false): Record<string, unknown> | undefined {
    const value = this.at(path);
    if (this.#absent(value, path, required)) return undefined;
    if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
    this.fail(path, `must be a map, not ${describe(value)}`);
    return undefined;
  }

  list(path: Path, required = false): unknown[] | undefined {
    const value = this.at(path);
    if (this.#absent(value, path, required)) return undefined;
    if (Array.isArray(value)) return value;
    this.fail(path, `must be a list, not ${describe(value)}`);
    return undefined;
  }

  /** Goes through a list's items by their paths. */
  each(path: Path, work: (item: Path) => void, required = false): void {
    const length = this.list(path, required)?.length ?? 0;
    for (let index = 0; index < length; index++) work([...path, index]);
  }

  text(path: Path, required = false): string | undefined {
    const value = this.at(path);
    if (this.#absent(value, path, required)) return undefined;
    if (typeof value === 'string') return value;
    this.fail(path, `must be text, not ${describe(value)}${quoteHint(value)}`);
    return undefined;
  }

  integer(path: Path, low: number, high: number, required = false): number | undefined {
    const value = this.at(path);
    if (this.#absent(value, path, required)) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high) return value;
    this.fail(path, `must be a whole number from ${low} to ${high}, not ${describe(value)}`);
    return undefined;
  }

  flag(path: Path): void {
    const value = this.at(path);
    if (value !== undefined && value !== null && typeof value !== 'boolean') {
      this.fail(path, `must be true or false, not ${describe(value)}`);
    }
  }

  oneOf(path: Path, allowed: readonly string[]): void {
    const value = this.text(path);
    if (value !== undefined && !allowed.includes(value)) {
      this.fail(path, `must be ${allowed.join(', ')}, not "${value}"`);
    }
  }

  texts(path: Path): void {
    this.each(path, (item) => this.text(item, true));
  }

  /** Missing and null are the same, as in Kubernetes. */
  #absent(value: unknown, path: Path, required: boolean): value is null | undefined {
    if (value !== undefined && value !== null) return false;
    if (required) this.fail(path, 'is missing');
    return true;
  }
}

export function formatPath(path: Path): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index > 0 ? '.' : ''}${step}`))
    .join('');
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'string' ? `"${value.slice(0, 60)}"` : String(value);
}

function quoteHint(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' ? '; put it in quotes' : '';
}
