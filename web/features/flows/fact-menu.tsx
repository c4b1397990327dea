import { Menu } from '@base-ui/react/menu';
import { Check, Copy, Filter, FilterX, Shield } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { copyText } from '../../ui/copy.ts';
import { changeView, showPolicy, useView } from '../../view/view-store.ts';
import type { FlowFact } from '../../worker/shown-flow.ts';

/** The value that was pressed, and where it stands. */
export interface PressedFact {
  readonly fact: FlowFact;
  readonly value: HTMLElement;
}

/** A value that can be pressed. Plain: a drawer holds dozens, and a menu of its own for each makes every change of flow slow. */
export function FactValue({ fact, pressed, onPress }: FactValueProps) {
  const open = pressed?.fact === fact;
  const toggle = (value: HTMLElement) => onPress(open ? null : { fact, value });
  return (
    <button
      type="button"
      aria-label={`${fact.name}: ${fact.text}`}
      aria-haspopup="menu"
      aria-expanded={open}
      onClick={(event) => toggle(event.currentTarget)}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowDown' || open) return;
        event.preventDefault();
        toggle(event.currentTarget);
      }}
      className="-mx-1.5 max-w-full rounded-sm px-1.5 py-1 text-left font-mono text-xs break-words hover:bg-chip aria-expanded:bg-chip"
    >
      {fact.text}
    </button>
  );
}

interface FactValueProps {
  readonly fact: FlowFact;
  readonly pressed: PressedFact | null;
  onPress(pressed: PressedFact | null): void;
}

/** What is to be done with the value that was pressed: ask for it, leave it out, copy it. */
export function FactMenu({ pressed, onClose }: { pressed: PressedFact | null; onClose(): void }) {
  // What it shows stays while it fades.
  const [shown, setShown] = useState(pressed);
  if (pressed !== null && pressed !== shown) setShown(pressed);
  return (
    <Menu.Root
      open={pressed !== null}
      onOpenChange={(open, details) => {
        // The value itself lies outside of the menu, but closes it by its own press: not twice, or it would be open again.
        const byValue = details.reason === 'outside-press' && shown?.value.contains(details.event.target as Node);
        if (byValue) details.cancel();
        else if (!open) onClose();
      }}
    >
      {/* Within the landmark that what it is about stands in. */}
      <Menu.Portal container={document.querySelector('main')}>
        <Menu.Positioner anchor={shown?.value} positionMethod="fixed" sideOffset={2} align="start" className="z-50">
          <Menu.Popup
            aria-label={shown?.fact.name}
            finalFocus={() => shown?.value ?? true}
            className="max-w-[min(360px,calc(100vw-16px))] min-w-44 rounded-lg border border-line bg-card p-1 text-sm shadow-[var(--shadow)] transition-opacity duration-150 outline-none data-[ending-style]:opacity-0 data-[starting-style]:opacity-0"
          >
            {shown !== null && <Choices key={`${shown.fact.name} ${shown.fact.text}`} fact={shown.fact} />}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

function Choices({ fact }: { fact: FlowFact }) {
  const { filter } = useView();
  const [copied, setCopied] = useState(false);
  const { policy } = fact;
  const add = (token: string) => changeView({ filter: [...new Set([...filter, token])] });
  return (
    <>
      {policy !== undefined && (
        <div className="border-b border-line/60 pb-1">
          <Item icon={<Shield aria-hidden size={13} />} onClick={() => showPolicy(policy.key, policy.rule || null)}>
            Open the policy
          </Item>
        </div>
      )}
      {fact.tokens.map((token) => (
        <div key={token} className="border-b border-line/60 pb-1 not-first:pt-1">
          <Item icon={<Filter aria-hidden size={13} />} onClick={() => add(token)}>
            Only <Token>{token}</Token>
          </Item>
          <Item icon={<FilterX aria-hidden size={13} />} onClick={() => add(`!${token}`)}>
            Not <Token>{token}</Token>
          </Item>
        </div>
      ))}
      <Item
        keepOpen
        icon={copied ? <Check aria-hidden size={13} /> : <Copy aria-hidden size={13} />}
        onClick={async () => setCopied(await copyText(fact.text))}
      >
        {copied ? 'Copied' : 'Copy value'}
      </Item>
    </>
  );
}

function Item(props: { icon: ReactNode; keepOpen?: boolean; onClick(): void; children: ReactNode }) {
  return (
    <Menu.Item
      closeOnClick={!props.keepOpen}
      onClick={props.onClick}
      className="flex cursor-pointer items-center gap-2 rounded-md px-2 py-1 outline-none data-[highlighted]:bg-hover"
    >
      <span className="shrink-0 text-faint">{props.icon}</span>
      <span className="min-w-0 truncate">{props.children}</span>
    </Menu.Item>
  );
}

function Token({ children }: { children: ReactNode }) {
  return <span className="font-mono text-xs">{children}</span>;
}
