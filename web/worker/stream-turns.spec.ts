import { describe, expect, it } from 'vitest';
import { awakeKeys, MOST_STREAMS } from './stream-turns.ts';

const views = (text: string) => new Map([...text].map((key) => [key, { visible: key === key.toUpperCase() }]));

describe('who has a stream', () => {
  it('is everyone while there are few', () => expect([...awakeKeys(views('aBc'))].sort()).toEqual(['B', 'a', 'c']));

  it('is whoever can be seen, then the latest', () => {
    const awake = awakeKeys(views('AbcdefG'));
    expect(awake.size).toBe(MOST_STREAMS);
    expect([...awake].sort()).toEqual(['A', 'G', 'e', 'f']);
  });

  it('is never more than the browser has connections for', () => {
    expect([...awakeKeys(views('ABCDEFG'))]).toEqual(['G', 'F', 'E', 'D']);
  });
});
