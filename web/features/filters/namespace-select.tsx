import { lazy, Suspense, useState } from 'react';
import { useView } from '../../view/view-store.ts';
import { NAMESPACE_BUTTON, NamespaceWords, namespaceLabel } from './namespace-button.tsx';

const load = () => import('./namespace-list.tsx').then((module) => ({ default: module.NamespaceList }));
const NamespaceList = lazy(load);

/** Namespaces on the map: one, several, or all. The list behind the button is loaded when it is first wanted. */
export function NamespaceSelect() {
  const { namespaces } = useView();
  const [wanted, setWanted] = useState(false);
  const button = (
    <button
      type="button"
      aria-label={namespaceLabel(namespaces)}
      aria-haspopup="listbox"
      aria-expanded={false}
      onClick={() => setWanted(true)}
      onPointerEnter={() => void load()}
      onFocus={() => void load()}
      className={NAMESPACE_BUTTON}
    >
      <NamespaceWords namespaces={namespaces} />
    </button>
  );
  return wanted ? (
    <Suspense fallback={button}>
      <NamespaceList />
    </Suspense>
  ) : (
    button
  );
}
