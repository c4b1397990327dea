import { RE2JS } from '@bufbuild/re2';
import { FlowFilterError } from './filter-part.ts';

const NAME = /^[-0-9a-z_.*]+$/;
const LONGEST = 512;

/** What stands for a part of a name that is left out. */
export const ANY_NAME = '(?:[-0-9_a-z]+(?:\\.[-0-9_a-z]+)*)';

/**
 * A DNS name or one of its kin as a regular expression: lower-cased, without the trailing dot, `*` for any run of letters,
 * digits, dots and hyphens. `whole` is the value it stands in, for messages.
 */
export function namePattern(text: string, field: string, whole: string): string {
  const pattern = text.trim().replace(/\.$/, '').toLowerCase();
  if (pattern === '') throw new FlowFilterError(field, whole, 'is empty');
  if (pattern.length > LONGEST) throw new FlowFilterError(field, whole, `is longer than ${LONGEST} characters`);
  if (pattern.endsWith('.')) throw new FlowFilterError(field, whole, 'ends with more than one dot');
  if (!NAME.test(pattern)) {
    throw new FlowFilterError(field, whole, 'has characters that no name has: letters, digits, ".", "-", "_", "*"');
  }
  return pattern.replaceAll('.', '\\.').replaceAll('*', '[-.0-9a-z]*');
}

/** Whether one of these patterns is the whole of a name. */
export function anyNamePattern(patterns: readonly string[]): (name: string) => boolean {
  const compiled = patterns.map((pattern) => RE2JS.compile(pattern));
  return (name) => compiled.some((pattern) => pattern.matches(name));
}
