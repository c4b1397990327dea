import { type Action, registerActions } from '../../actions/registry.ts';
import { changeTableOptions, viewStore } from '../../view/view-store.ts';

/** What can be done with the flow table, for palette, keys and keyboard help. Returns what takes it away again. */
export function registerTableActions(holdOrGoOn: () => void): () => void {
  const group = 'Flow table' as const;
  const actions: Action[] = [
    {
      id: 'table-pause',
      group,
      name: 'Pause the flow table, or go on with the newest',
      keys: 'l',
      words: 'live hold stop resume',
      run: holdOrGoOn,
    },
    {
      id: 'table-aggregate',
      group,
      name: 'Aggregate repeated flows, or show each',
      keys: 'a',
      words: 'group count',
      run: () => changeTableOptions({ aggregate: !viewStore.get().view.table.aggregate, sort: null }),
    },
  ];
  return registerActions(actions);
}
