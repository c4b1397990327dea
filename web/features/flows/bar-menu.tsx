import { CSPProvider } from '@base-ui/react/csp-provider';
import { Popover } from '@base-ui/react/popover';
import type { ReactElement, ReactNode } from 'react';
import { classNames } from '../../ui/class-names.ts';

/** A menu that opens below a button of the table's bar, as soon as it is there. */
export function BarMenu(props: { label: string; trigger: ReactElement; className: string; children: ReactNode }) {
  return (
    // The content security policy allows no inline style elements.
    <CSPProvider disableStyleElements>
      <Popover.Root defaultOpen>
        <Popover.Trigger render={props.trigger} />
        <Popover.Portal>
          <Popover.Positioner sideOffset={4} align="end" className="z-50">
            <Popover.Popup
              aria-label={props.label}
              className={classNames(
                'flex flex-col rounded-lg border border-line bg-card text-sm shadow-[var(--shadow)] transition-opacity duration-150 data-[ending-style]:opacity-0 data-[starting-style]:opacity-0',
                props.className,
              )}
            >
              {props.children}
            </Popover.Popup>
          </Popover.Positioner>
        </Popover.Portal>
      </Popover.Root>
    </CSPProvider>
  );
}
