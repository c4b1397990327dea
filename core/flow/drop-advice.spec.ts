import { expect, it } from 'vitest';
import { dropAdvice } from './drop-advice.ts';
import { DROP_REASON, dropReasons } from './drop-reason.ts';

it('every drop reason is told in a sentence, with a next step in another', () => {
  for (const name of dropReasons.names) {
    const { what, next } = dropAdvice(DROP_REASON[name as keyof typeof DROP_REASON]);
    for (const sentence of [what, next]) expect(sentence, name).toMatch(/^[A-Z].{20,160}\.$/);
    expect(next).not.toBe(what);
  }
});

it('a number that is no reason is told as one that nobody told', () => {
  expect(dropAdvice(99)).toEqual(dropAdvice(DROP_REASON.UNKNOWN));
});
