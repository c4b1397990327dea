import { Bookmark, Pencil, Trash2 } from 'lucide-react';
import { useEffect, useId, useState } from 'react';
import { useStore } from '../../live/store.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Popover } from '../../ui/popover.tsx';
import {
  addViews,
  exportViews,
  followSavedViews,
  importViews,
  MOST_NAME,
  removeView,
  renameView,
  type SavedView,
  savedViewsStore,
  saveView,
} from '../../view/saved-views.ts';
import { parseView, printView } from '../../view/url.ts';
import { changeView, useView } from '../../view/view-store.ts';

const FIELD =
  'min-w-0 flex-1 rounded-md border border-line bg-background px-2 text-sm outline-none focus:border-accent';

/** Views with names: saved, opened, handed on as links, read from links. */
export function SavedViews() {
  return (
    <Popover
      label="Saved views"
      title="Saved views"
      side="below"
      className="flex size-8 items-center justify-center rounded-md border border-line bg-card text-dim hover:text-text"
      button={<Bookmark aria-hidden size={16} />}
    >
      <div className="flex flex-col gap-3">
        <SaveForm />
        <ViewList />
        <Import />
      </div>
    </Popover>
  );
}

function SaveForm() {
  const query = printView(useView());
  const [name, setName] = useState('');
  const [said, setSaid] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const problem = saveView(name, query);
        setSaid(problem ?? `Saved as ${name.trim()}.`);
        if (problem === undefined) setName('');
      }}
    >
      <div className="flex gap-2">
        <input
          aria-label="Name of this view"
          placeholder="Name of this view"
          value={name}
          maxLength={MOST_NAME}
          onChange={(event) => setName(event.target.value)}
          className={classNames(FIELD, 'h-8 placeholder:text-faint')}
        />
        <Button type="submit" disabled={name.trim() === ''}>
          Save
        </Button>
      </div>
      <p role="status" className="pt-1 text-2xs text-dim empty:hidden">
        {said}
      </p>
    </form>
  );
}

function ViewList() {
  const views = useStore(savedViewsStore);
  useEffect(followSavedViews, []);
  const query = printView(useView());
  if (views.length === 0) return <p className="text-xs text-dim">No view is saved in this browser yet.</p>;
  return (
    <ul aria-label="Saved views" className="-mx-1 flex flex-col">
      {views.map((view) => (
        <Saved key={view.name} view={view} current={view.query === query} />
      ))}
    </ul>
  );
}

function Saved({ view, current }: { view: SavedView; current: boolean }) {
  const [renaming, setRenaming] = useState(false);
  if (renaming) return <Rename view={view} onEnd={() => setRenaming(false)} />;
  return (
    <li className="flex items-center gap-0.5 rounded-md pl-1 hover:bg-hover">
      <a
        href={view.query === '' ? location.pathname : view.query}
        aria-current={current ? 'true' : undefined}
        title={view.query || 'Everything'}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          changeView(parseView(view.query).view);
        }}
        className={classNames('min-w-0 flex-1 truncate py-1.5 text-sm', current && 'text-accent-text')}
      >
        {view.name}
      </a>
      <IconButton
        label={`Rename ${view.name}`}
        className="size-7 border-transparent bg-transparent"
        onClick={() => setRenaming(true)}
      >
        <Pencil aria-hidden size={14} />
      </IconButton>
      <CopyButton label={`Copy link to ${view.name}`} text={() => pageAddress() + view.query} />
      <IconButton
        label={`Remove ${view.name}`}
        className="size-7 border-transparent bg-transparent"
        onClick={() => removeView(view.name)}
      >
        <Trash2 aria-hidden size={14} />
      </IconButton>
    </li>
  );
}

function Rename({ view, onEnd }: { view: SavedView; onEnd(): void }) {
  const [problem, setProblem] = useState('');
  return (
    <li className="rounded-md px-1 py-0.5">
      <form
        className="flex gap-1"
        onSubmit={(event) => {
          event.preventDefault();
          const said = renameView(view.name, String(new FormData(event.currentTarget).get('name')));
          if (said === undefined) onEnd();
          else setProblem(said);
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.preventDefault();
          event.stopPropagation();
          onEnd();
        }}
      >
        <input
          name="name"
          aria-label={`New name of ${view.name}`}
          defaultValue={view.name}
          maxLength={MOST_NAME}
          // biome-ignore lint/a11y/noAutofocus: who asked to rename it writes next
          autoFocus
          onFocus={(event) => event.target.select()}
          className={classNames(FIELD, 'h-7')}
        />
        <Button type="submit" className="!h-7 !px-2 !text-xs">
          Rename
        </Button>
      </form>
      <p role="status" className="pt-1 text-2xs text-dropped-text empty:hidden">
        {problem}
      </p>
    </li>
  );
}

function Import() {
  const views = useStore(savedViewsStore);
  const [text, setText] = useState('');
  const [said, setSaid] = useState('');
  const field = useId();
  return (
    <details className="border-t border-line pt-2">
      <summary className="cursor-pointer text-xs text-dim">Hand on, or read in</summary>
      <form
        className="flex flex-col gap-2 pt-2"
        onSubmit={(event) => {
          event.preventDefault();
          const read = importViews(text);
          addViews(read.views);
          setSaid(
            [`${read.views.length === 1 ? '1 view' : `${read.views.length} views`} read.`, ...read.problems].join(' '),
          );
          if (read.problems.length === 0) setText('');
        }}
      >
        <label htmlFor={field} className="text-2xs text-dim">
          Links, one a line, each with its name before it
        </label>
        <textarea
          id={field}
          rows={3}
          value={text}
          spellCheck={false}
          onChange={(event) => setText(event.target.value)}
          className={classNames(FIELD, 'py-1 font-mono text-2xs')}
        />
        <div className="flex items-center gap-2">
          <Button type="submit" disabled={text.trim() === ''}>
            Read in
          </Button>
          {views.length > 0 && (
            <CopyButton words label="Copy all as links" text={() => exportViews(views, pageAddress())} />
          )}
        </div>
        <p role="status" className="text-2xs text-dim empty:hidden">
          {said}
        </p>
      </form>
    </details>
  );
}

function pageAddress(): string {
  return location.origin + location.pathname;
}
