import { describe, expect, it } from 'vitest';
import { printTableOptions, readTableOptions } from './table-options.ts';
import type { UrlProblem } from './url-problem.ts';

function read(query: string) {
  const problems: UrlProblem[] = [];
  return { options: readTableOptions(new URLSearchParams(query), problems), problems };
}

describe("the flow table's part of the URL", () => {
  it.each(['', 'sort=-bytes', 'sort=source-pod&aggregate=1', 'flow=kind/worker/ab12/42'])('keeps %j', (query) => {
    const { options, problems } = read(query);
    const parts: string[] = [];
    printTableOptions(options, (parameter, value) => parts.push(`${parameter}=${value}`));
    expect([parts.join('&'), problems]).toEqual([query, []]);
  });

  it('says what makes no sense, and goes on without it', () => {
    const { options, problems } = read('sort=colour&flow=banana&aggregate=maybe');
    expect(options).toEqual({ sort: null, aggregate: false, flow: null });
    expect(problems.map(({ parameter }) => parameter)).toEqual(['sort', 'flow']);
  });
});
