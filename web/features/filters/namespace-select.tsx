import { Suspense, useState } from 'react';
import { latePart } from '../../ui/late-part.ts';
import { useView } from '../../view/view-store.ts';
import { NAMESPACE_BUTTON, NamespaceWords, namespaceLabel } from './namespace-button.tsx';

const load = () => import('./namespace-list.tsx').then(({ NamespaceList }) => NamespaceList);
const NamespaceList = latePart(load);
/** Ahead of time: should it fail, it is asked for again when it is wanted. */
const preload = () => void load().catch(() => {});

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
      onPointerEnter={preload}
      onFocus={preload}
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
