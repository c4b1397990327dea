import type { ComponentProps } from 'react';
import { IconButton } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';

/** A button of the map's toolbars; `marked` when what it holds is not as usual. */
export function ToolButton({
  marked = false,
  className,
  ...props
}: ComponentProps<typeof IconButton> & { marked?: boolean }) {
  return <IconButton className={classNames(marked && 'border-accent! text-accent-text!', className)} {...props} />;
}
