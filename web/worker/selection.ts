import { cardName, isPerNodeKey, WORLD_NAME } from '#core/card/card-name.ts';
import type { Endpoint } from '#core/flow/endpoint.ts';
import type { Selection } from './protocol.ts';

/** Whether an endpoint is part of the card: the same grouping as the server's map. */
export function belongs(endpoint: Endpoint, card: Pick<Selection, 'key'>): boolean {
  const name = cardName(endpoint, { perNode: isPerNodeKey(card.key) });
  return name.key === card.key || (card.key === WORLD_NAME.key && name.kind === 'world');
}
