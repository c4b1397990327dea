import { describe, expect, test } from 'vitest';
import { failureWords } from './failure-words.ts';
import { Code, codeName, StatusError } from './service.ts';

describe('words for a failed call', () => {
  test('what says all by itself stands alone', () => {
    expect(failureWords(new StatusError(Code.DEADLINE_EXCEEDED, 'no answer within 2.0 s'))).toBe(
      'no answer within 2.0 s',
    );
  });

  test('another says what it means', () => {
    expect(failureWords(new StatusError(Code.UNIMPLEMENTED, 'Received HTTP status code 404'))).toBe(
      'no agent of this version: Received HTTP status code 404',
    );
  });

  test.for(Object.values(Code))('never the name of code %i', (code) => {
    expect(failureWords(new StatusError(code, 'so it is'))).not.toContain(codeName(code));
  });

  test('what is no failed call says its message', () => {
    expect(failureWords(new Error('row 3 is not whole'))).toBe('row 3 is not whole');
    expect(failureWords('gone')).toBe('gone');
  });
});
