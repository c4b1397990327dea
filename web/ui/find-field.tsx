import { Search } from 'lucide-react';

/** A field above a list that leaves out what does not match. */
export function FindField(props: {
  readonly label: string;
  readonly placeholder?: string;
  readonly typed: string;
  readonly onType: (typed: string) => void;
  /** How much was found; shown while something is typed. */
  readonly found: string;
}) {
  const { label, placeholder = label, typed, onType, found } = props;
  return (
    <label className="flex h-10 shrink-0 items-center gap-2 border-b border-line px-4 text-dim focus-within:text-text">
      <Search aria-hidden size={14} />
      <input
        aria-label={label}
        placeholder={placeholder}
        value={typed}
        onChange={(event) => onType(event.target.value)}
        className="min-w-0 flex-1 bg-transparent text-sm text-text outline-none placeholder:text-faint"
      />
      {typed.trim() !== '' && <span className="text-2xs text-faint">{found}</span>}
    </label>
  );
}
