import { workloadKey } from '#core/card/card-name.ts';

/** What to call a card of which only the key is at hand: its name. */
export function cardWords(key: string): string {
  return workloadKey(key).split('/').slice(3).join('/') || key;
}
