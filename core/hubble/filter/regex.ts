import { RE2JS } from '@bufbuild/re2';
import { FlowFilterError } from './filter-part.ts';

/** RE2's syntax and its promise: time linear in the text, whatever the pattern. Longer patterns than this are refused. */
const MOST_CHARACTERS = 1_024;

/** Whether the pattern is found anywhere in a text. Throws FlowFilterError for what is no RE2 pattern. */
export function readRegex(pattern: string, field: string): (text: string) => boolean {
  if (pattern.length > MOST_CHARACTERS) {
    throw new FlowFilterError(field, pattern, `is longer than ${MOST_CHARACTERS} characters`);
  }
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.test(text);
  } catch (error) {
    throw new FlowFilterError(field, pattern, `is not a regular expression: ${(error as Error).message}`);
  }
}
