import { cardToken } from '#core/card/card-token.ts';
import { type Pair, parsePair } from '../../view/pair.ts';
import type { Selection } from '../../worker/protocol.ts';

/** A card as filter tokens, for where the page's own way of asking for it does not reach. */
export interface SelectionFilter {
  readonly tokens: readonly string[];
  /** In which way the tokens ask for something else than the card; empty when they do not. */
  readonly caveat: string;
}

export function selectionFilter(selection: Selection | null): SelectionFilter {
  if (selection === null) return { tokens: [], caveat: '' };
  const { key, kind, namespace, workloadKind, name } = selection;
  const pair = parsePair(key);
  if (pair !== undefined) return pairFilter(pair, name);
  switch (kind) {
    case 'workload':
      return {
        tokens: [workloadKind === 'Pod' ? `pod=${namespace}/${name}` : `workload=${namespace}/${workloadKind}/${name}`],
        caveat: '',
      };
    case 'world': {
      const token = cardToken(key);
      if (token !== undefined) return { tokens: [token], caveat: '' };
      return { tokens: ['identity=world'], caveat: `It asks for the whole world, not only ${name}.` };
    }
    case 'host':
      return { tokens: ['identity=host'], caveat: '' };
    case 'remote-node':
      return { tokens: [`identity=${name}`], caveat: '' };
    case 'unknown':
      return { tokens: [], caveat: `It does not single out ${name}: no filter names what has no owner.` };
  }
}

/** Replies travel the other way, so that neither end is asked for on one side only. */
function pairFilter({ source, destination }: Pair, name: string): SelectionFilter {
  const tokens = [source, destination].map((key) => cardToken(key));
  const known = tokens.filter((token) => token !== undefined);
  if (known.length < tokens.length) return { tokens: known, caveat: `It asks for more than ${name}.` };
  return { tokens: known, caveat: source === destination ? '' : 'It also asks for what is opened the other way.' };
}
