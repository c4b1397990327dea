/** What late-filters.tsx loads, in one piece. */
export { FilterBar } from './filter-bar.tsx';
export { SavedViews } from './saved-views.tsx';
export { ShowMenu } from './show-menu.tsx';
