import { createStore } from '../../live/store.ts';
import { recall, remember } from '../../view/remembered.ts';
import { type ColumnChoice, parseChoice, printChoice } from './column-choice.ts';

const NAME = 'flow-columns';

/** The columns of this browser's tables. */
export const columnStore = createStore<ColumnChoice>(parseChoice(recall(NAME)));

export function chooseColumns(change: (choice: ColumnChoice) => ColumnChoice): void {
  const choice = change(columnStore.get());
  columnStore.set(choice);
  remember(NAME, printChoice(choice));
}

// Chosen in another tab.
addEventListener('storage', ({ key }: StorageEvent) => {
  if (key === null || key.endsWith(`.${NAME}`)) columnStore.set(parseChoice(recall(NAME)));
});
