import { Menu } from '@base-ui/react/menu';
import { Check, Copy, Filter, FilterX, Shield } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { copyText } from '../../ui/copy.ts';
import { changeView, showPolicy, useView } from '../../view/view-store.ts';
import type { FlowFact } from '../../worker/protocol.ts';

/** A value that is asked for, left out, or copied, by pressing it. */
export function FactMenu({ fact }: { fact: FlowFact }) {
  const { filter } = useView();
  const [copied, setCopied] = useState(false);
  const { policy } = fact;
  const add = (token: string) => changeView({ filter: [...new Set([...filter, token])] });
  return (
    <Menu.Root onOpenChange={() => setCopied(false)}>
      <Menu.Trigger
        aria-label={`${fact.name}: ${fact.text}`}
        className="-mx-1.5 max-w-full rounded-sm px-1.5 py-1 text-left font-mono text-xs break-words hover:bg-chip data-[popup-open]:bg-chip"
      >
        {fact.text}
      </Menu.Trigger>
      {/* Within the landmark that what it is about stands in. */}
      <Menu.Portal container={document.querySelector('main')}>
        <Menu.Positioner positionMethod="fixed" sideOffset={2} align="start" className="z-50">
          <Menu.Popup className="max-w-[min(360px,calc(100vw-16px))] min-w-44 rounded-lg border border-line bg-card p-1 text-sm shadow-[var(--shadow)] transition-opacity duration-150 outline-none data-[ending-style]:opacity-0 data-[starting-style]:opacity-0">
            {policy !== undefined && (
              <div className="border-b border-line/60 pb-1">
                <Item
                  icon={<Shield aria-hidden size={13} />}
                  onClick={() => showPolicy(policy.key, policy.rule || null)}
                >
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
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
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
