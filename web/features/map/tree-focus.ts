/**
 * Arrow keys in the map's tree. Up and down go through namespaces and cards (inside a card's arrows: through those), right
 * goes into an item, left back out of it. Returns whether the key is one of the tree's.
 */
export function moveFocus(tree: HTMLElement, item: HTMLElement, key: string): boolean {
  if (!/^(Arrow(Up|Down|Left|Right)|Home|End)$/.test(key)) return false;
  const isArrow = (each: HTMLElement) =>
    each.dataset.plate === undefined && parentItem(each)?.dataset.card !== undefined;
  const items = [...tree.querySelectorAll<HTMLElement>('[role=treeitem]')];
  const among = isArrow(item)
    ? items.filter((each) => each.parentElement === item.parentElement)
    : items.filter((each) => !isArrow(each));
  // The map moves itself to what has the focus.
  next(key, item, among)?.focus({ preventScroll: true });
  return true;
}

function next(key: string, item: HTMLElement, among: readonly HTMLElement[]): HTMLElement | null | undefined {
  const at = among.indexOf(item);
  switch (key) {
    case 'ArrowDown':
      return among[at + 1];
    case 'ArrowUp':
      return among[at - 1];
    case 'Home':
      return among[0];
    case 'End':
      return among.at(-1);
    case 'ArrowRight':
      return item.querySelector<HTMLElement>('[role=treeitem]');
    default:
      return parentItem(item);
  }
}

function parentItem(item: HTMLElement): HTMLElement | null | undefined {
  return item.parentElement?.closest<HTMLElement>('[role=treeitem]');
}
