import { X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { completeToken } from '#core/filter/complete-token.ts';
import { classNames } from '../../ui/class-names.ts';
import { changeView, useView } from '../../view/view-store.ts';
import { Completions } from './completions.tsx';
import { splitTokens, tokenError } from './token-check.ts';
import { useKnownValues } from './use-known-values.ts';

/** The filter: tokens, ANDed. What is wrong is marked where it stands; the rest works. */
export function FilterBar() {
  const { filter } = useView();
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const known = useKnownValues();
  const completions = open ? completeToken(text, known, 8) : [];
  const set = (tokens: readonly string[]) => changeView({ filter: [...new Set(tokens)] });
  const add = (typed: string) => {
    const tokens = splitTokens(typed);
    if (tokens.length > 0) set([...filter, ...tokens]);
    setText('');
    setActive(-1);
  };
  const accept = (token: string) => {
    setActive(-1);
    setText(token);
    input.current?.focus();
  };
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const inField = event.target instanceof HTMLElement && event.target.matches('input, textarea');
      if (event.key !== '/' || inField || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === 'Enter') {
      const chosen = completions[active];
      if (chosen !== undefined && chosen.token !== text) accept(chosen.token);
      else add(text);
    } else if (event.key === 'Tab' && text !== '' && completions.length > 0 && !event.shiftKey) {
      accept(completions[Math.max(active, 0)].token);
    } else if (event.key === 'ArrowDown') setActive(Math.min(active + 1, completions.length - 1));
    else if (event.key === 'ArrowUp') setActive(Math.max(active - 1, -1));
    else if (event.key === 'Escape') {
      setOpen(false);
      input.current?.blur();
    } else if (event.key === 'Backspace' && text === '' && filter.length > 0) {
      set(filter.slice(0, -1));
      setText(filter[filter.length - 1]);
    } else return;
    event.preventDefault();
  };
  return (
    <div className="relative min-w-0 flex-1">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a click beside the tokens goes to the field, as in any text field */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the field itself is reached by keyboard */}
      <div
        onClick={() => input.current?.focus()}
        className="flex h-8 min-w-0 cursor-text items-center gap-1.5 overflow-x-auto rounded-md border border-line bg-card px-2 [scrollbar-width:none] focus-within:border-accent"
      >
        {filter.map((token) => (
          <Token key={token} token={token} onRemove={() => set(filter.filter((each) => each !== token))} />
        ))}
        <input
          ref={input}
          value={text}
          role="combobox"
          aria-label="Filter"
          aria-expanded={completions.length > 0}
          aria-controls="filter-completions"
          aria-activedescendant={active >= 0 ? `filter-completion-${active}` : undefined}
          aria-autocomplete="list"
          autoComplete="off"
          spellCheck={false}
          placeholder={filter.length === 0 ? 'Filter: port=53, label app=web, ip=10.0.0.0/8' : ''}
          onChange={(event) => {
            setText(event.target.value);
            setActive(-1);
            setOpen(true);
          }}
          onFocus={() => setOpen(true)}
          onBlur={() => {
            setOpen(false);
            if (text !== '' && tokenError(text.trim()) === undefined) add(text);
          }}
          onPaste={(event) => {
            const pasted = event.clipboardData.getData('text');
            if (!/,\s/.test(pasted)) return;
            event.preventDefault();
            add(pasted);
          }}
          onKeyDown={onKeyDown}
          className="h-full min-w-36 flex-1 bg-transparent text-sm outline-none placeholder:text-faint"
        />
        <kbd className="font-mono text-xs text-faint max-sm:hidden" title="Press / to filter">
          /
        </kbd>
      </div>
      <Completions completions={completions} active={active} onChoose={accept} />
    </div>
  );
}

function Token({ token, onRemove }: { token: string; onRemove(): void }) {
  const error = tokenError(token);
  const negated = token.startsWith('!');
  return (
    <span
      title={error?.message}
      className={classNames(
        'flex shrink-0 items-center gap-1 rounded-sm border px-1.5 font-mono text-2xs leading-5 text-text',
        error !== undefined
          ? 'border-dropped bg-chip'
          : negated
            ? 'border-accent bg-selected'
            : 'border-transparent bg-chip',
      )}
    >
      {error === undefined ? (
        token
      ) : (
        <span>
          {token.slice(0, error.start)}
          <span className="text-dropped-text underline decoration-wavy underline-offset-2">
            {token.slice(error.start, error.end) || ' '}
          </span>
          {token.slice(error.end)}
          <span className="sr-only"> is not used: {error.message}</span>
        </span>
      )}
      <button
        type="button"
        aria-label={`Remove filter ${token}`}
        onClick={onRemove}
        className="text-faint hover:text-text"
      >
        <X aria-hidden size={12} />
      </button>
    </span>
  );
}
