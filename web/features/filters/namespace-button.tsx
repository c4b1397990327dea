import { ChevronDown } from 'lucide-react';

/** How the button looks that opens the list, before and after the list is loaded. */
export const NAMESPACE_BUTTON =
  'flex h-8 min-w-0 shrink-0 items-center gap-2 rounded-md border border-line bg-card px-2.5 text-sm hover:bg-hover';

export function namespaceLabel(namespaces: readonly string[]): string {
  const [first = 'all', ...others] = namespaces;
  // What is visible comes first: people who speak to their computer say what they see.
  return others.length === 0 ? `Namespace: ${first}` : `Namespace: ${first} +${others.length}, ${others.join(', ')}`;
}

export function NamespaceWords({ namespaces }: { namespaces: readonly string[] }) {
  const [first, ...others] = namespaces;
  return (
    <>
      <span className="text-dim max-lg:hidden">Namespace:</span>{' '}
      <span className="max-w-40 truncate text-text">{first ?? 'all'}</span>{' '}
      {others.length > 0 && <span className="text-dim">+{others.length}</span>}
      <ChevronDown aria-hidden size={14} className="text-dim" />
    </>
  );
}
