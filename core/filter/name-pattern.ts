import type { Parsed } from './filter-field.ts';

/** Characters of Kubernetes and DNS names, and `*`. */
const NAME_PATTERN = /^[A-Za-z0-9._:*-]*$/;

/** Checks a pattern for names; empty is allowed where the caller says so. */
export function namePattern(text: string, what: string, { empty = false } = {}): Parsed<string> {
  if (text === '' && !empty) return { problem: `${what} is empty` };
  if (!NAME_PATTERN.test(text))
    return { problem: `"${text}" cannot be ${what}: names have letters, digits, "-", "." and "*"` };
  return { value: text.replace(/\*{2,}/g, '*') };
}
