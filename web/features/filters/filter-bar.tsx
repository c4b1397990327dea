import { useLayoutEffect, useRef, useState } from 'react';
import { completeToken, valueBeingTyped } from '#core/filter/complete-token.ts';
import type { FilterError } from '#core/filter/filter.ts';
import { hiddenStore, statusStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { MOST_TOKENS } from '../../view/url.ts';
import { changeView, useView } from '../../view/view-store.ts';
import { Completions } from './completions.tsx';
import { FilterToken } from './filter-token.tsx';
import { useLiveValues } from './live-values.ts';
import { canonicalToken, splitTokens, tokenError } from './token-check.ts';

const OFFERED = 12;

/** What was done in the field that stands here until this one is there. It changes until then. */
export interface TypedBefore {
  text: string;
  focused: boolean;
  /** Enter was pressed, and nothing typed after it. */
  entered: boolean;
}

const NOTHING: TypedBefore = { text: '', focused: false, entered: false };

/** The filter: tokens, ANDed. What is wrong is marked where it stands; the rest works. */
export function FilterBar({ before = NOTHING }: { before?: TypedBefore }) {
  const { filter } = useView();
  const hidden = useStore(hiddenStore);
  const tellsRequests = useStore(statusStore)?.tellsRequests ?? true;
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const [problem, setProblem] = useState<{ token: string; error: FilterError }>();
  const input = useRef<HTMLInputElement>(null);
  const row = useRef<HTMLDivElement>(null);
  const { field, values } = useLiveValues(text, open);
  const completions = open ? completeToken(text, { [field]: values }, OFFERED) : [];
  const set = (tokens: readonly string[]) => changeView({ filter: [...new Set(tokens)] });
  const write = (next: string) => {
    setText(next);
    setActive(-1);
    setProblem(undefined);
  };
  /** Uses what was typed; what cannot be used stays, and it is said why. */
  const add = (typed: string) => {
    const tokens = splitTokens(typed);
    const good = tokens.filter((token) => tokenError(token) === undefined).map(canonicalToken);
    const all = [...new Set([...filter, ...good])];
    set(all.slice(0, MOST_TOKENS));
    const beyond = all.slice(MOST_TOKENS);
    const wrong = tokens.find((token) => tokenError(token) !== undefined);
    const left = wrong ?? beyond.join(', ');
    write(left);
    if (left === '') return;
    const tooMany = { token: 0, start: 0, end: left.length, message: `a view has at most ${MOST_TOKENS} filters` };
    setProblem({ token: left, error: wrong === undefined ? tooMany : tokenError(wrong)! });
  };
  // Not while rendering: between that and the moment when this takes the other's place more may be typed.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, for what was typed before
  useLayoutEffect(() => {
    if (before.entered) add(before.text);
    else setText(before.text);
    if (!before.focused) return;
    // Whoever writes already is offered what could come next, as if they had begun here.
    input.current?.focus();
    setOpen(true);
  }, []);
  // Who writes one after the other sees where the next begins.
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever there are others
  useLayoutEffect(() => {
    if (document.activeElement === input.current) row.current?.scrollTo({ left: row.current.scrollWidth });
  }, [filter]);
  /** A field asks for its value next; a value is all there was to say. */
  const choose = (token: string) => {
    if (valueBeingTyped(token)?.typed) add(token);
    else write(token);
    input.current?.focus();
  };
  const edit = (token: string) => {
    set(filter.filter((each) => each !== token));
    write(token);
    setOpen(true);
    input.current?.focus();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter') {
      const chosen = completions[active];
      if (chosen !== undefined) choose(chosen.token);
      else add(text);
    } else if (event.key === 'Tab' && open && text !== '' && completions.length > 0 && !event.shiftKey) {
      const chosen = completions[Math.max(active, 0)].token;
      if (chosen === text) return;
      write(chosen);
    } else if (event.key === 'ArrowDown') {
      setOpen(true);
      setActive(Math.min(active + 1, completions.length - 1));
    } else if (event.key === 'ArrowUp') setActive(Math.max(active - 1, -1));
    else if (event.key === 'Escape') {
      if (open && active >= 0) setActive(-1);
      else {
        setOpen(false);
        input.current?.blur();
      }
    } else if (event.key === 'Backspace' && text === '' && filter.length > 0) edit(filter[filter.length - 1]);
    else return;
    event.preventDefault();
  };
  return (
    <search aria-label="Filter flows" className="relative min-w-0 flex-1">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a click beside the tokens goes to the field, as in any text field */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the field itself is reached by keyboard */}
      <div
        onClick={(event) => {
          if ((event.target as Element).closest('button, input') === null) input.current?.focus();
        }}
        className={classNames(
          'flex h-8 min-w-0 cursor-text items-center gap-1.5 rounded-md border bg-card px-2 focus-within:border-accent',
          problem === undefined ? 'border-line' : 'border-dropped',
        )}
      >
        <div
          ref={row}
          className="flex h-full min-w-0 flex-1 items-center gap-1.5 overflow-x-auto [scrollbar-width:none]"
        >
          {filter.map((token) => (
            <FilterToken
              key={token}
              token={token}
              hidden={hidden.find((each) => each.token === canonicalToken(token))}
              onEdit={() => edit(token)}
              onRemove={() => set(filter.filter((each) => each !== token))}
            />
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
            aria-invalid={problem !== undefined}
            autoComplete="off"
            spellCheck={false}
            placeholder={filter.length === 0 ? 'Filter: port=53, label app=web, ip=10.0.0.0/8' : ''}
            onChange={(event) => {
              write(event.target.value);
              setOpen(true);
            }}
            onFocus={() => setOpen(true)}
            onBlur={() => {
              setOpen(false);
              if (text.trim() !== '') add(text);
            }}
            onPaste={(event) => {
              const pasted = event.clipboardData.getData('text');
              if (text !== '' || splitTokens(pasted).length < 2) return;
              event.preventDefault();
              add(pasted);
            }}
            onKeyDown={onKeyDown}
            // In view, however many tokens stand before it, and out of their way while nobody writes.
            className={classNames(
              'sticky right-0 h-full flex-1 bg-card text-sm outline-none placeholder:text-faint',
              filter.length === 0 ? 'min-w-36' : 'min-w-10 focus:min-w-36',
            )}
          />
        </div>
        {/* They may be more than are in view. */}
        {filter.length > 1 && (
          <span
            className="numbers shrink-0 text-2xs text-faint"
            title={`${filter.length} filters, all of which must hold`}
          >
            {filter.length}
          </span>
        )}
        <kbd className="font-mono text-xs text-faint max-sm:hidden" title="Press / to filter">
          /
        </kbd>
      </div>
      {open && (
        <Completions
          completions={completions}
          active={active}
          problem={problem}
          hint={hintFor(text, tellsRequests)}
          onChoose={choose}
        />
      )}
    </search>
  );
}

/** What the value that is being written is, with an example; why it will find nothing, where that is so. */
function hintFor(text: string, tellsRequests: boolean): string {
  const value = valueBeingTyped(text);
  if (value === undefined) return '';
  const { doc, example, unobserved } = value.field;
  return unobserved === undefined || tellsRequests ? `${doc} – ${example}` : `Matches nothing: ${unobserved}.`;
}
