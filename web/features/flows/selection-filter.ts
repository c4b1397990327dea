import type { Selection } from '../../worker/protocol.ts';

/** A card as filter tokens, for where the page's own way of asking for it does not reach. */
export interface SelectionFilter {
  readonly tokens: readonly string[];
  /** In which way the tokens ask for something else than the card; empty when they do not. */
  readonly caveat: string;
}

export function selectionFilter(selection: Selection | null): SelectionFilter {
  if (selection === null) return { tokens: [], caveat: '' };
  const { kind, namespace, workloadKind, name } = selection;
  switch (kind) {
    case 'workload':
      return {
        tokens: [workloadKind === 'Pod' ? `pod=${namespace}/${name}` : `workload=${namespace}/${workloadKind}/${name}`],
        caveat: '',
      };
    case 'world':
      return {
        tokens: ['identity=world'],
        caveat: name === 'world' ? '' : `It asks for the whole world, not only ${name}.`,
      };
    case 'host':
      return { tokens: ['identity=host'], caveat: '' };
    case 'remote-node':
      return { tokens: [`identity=${name}`], caveat: '' };
    case 'unknown':
      return { tokens: [], caveat: `It does not single out ${name}: no filter names what has no owner.` };
  }
}
