import type { EntryStore } from '../flow/entry-store.ts';

/**
 * Asks a question about endpoints (or other entries) by number and remembers the answers: a flow costs an array read. An
 * answer is asked for anew when the number has come to stand for another one.
 */
export function memoised<T>(
  store: Pick<EntryStore<T>, 'bound' | 'generation' | 'get'>,
  question: (entry: T) => boolean,
): (number: number) => boolean {
  let answers = new Uint8Array(256);
  /** The generation the answer holds for, plus one: 0 = not asked yet. */
  let askedFor = new Float64Array(256);
  return (number) => {
    if (number >= answers.length) {
      const length = Math.max(answers.length * 2, store.bound, number + 1);
      const grownAnswers = new Uint8Array(length);
      grownAnswers.set(answers);
      answers = grownAnswers;
      const grownAskedFor = new Float64Array(length);
      grownAskedFor.set(askedFor);
      askedFor = grownAskedFor;
    }
    const generation = store.generation(number) + 1;
    if (askedFor[number] !== generation) {
      answers[number] = question(store.get(number)) ? 1 : 0;
      askedFor[number] = generation;
    }
    return answers[number] === 1;
  };
}
