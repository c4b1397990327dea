import { formatCount } from '../../format/quantity.ts';
import { classNames } from '../../ui/class-names.ts';
import { latePart } from '../../ui/late-part.ts';
import { Popover } from '../../ui/popover.tsx';
import type { StatusSummary } from '../../worker/protocol.ts';

const LossesPanel = latePart(() => import('./losses-panel.tsx').then(({ LossesPanel }) => LossesPanel));

/** How many flows were lost; where, in a panel. */
export function Losses({ status }: { status: StatusSummary }) {
  const { lost } = status;
  const text = `${formatCount(lost)} lost`;
  return (
    <Popover
      label={`${text}, where`}
      title="Lost flows"
      className={classNames('numbers -mx-1.5', lost > 0 && 'text-dropped-text')}
      button={text}
    >
      <LossesPanel status={status} />
    </Popover>
  );
}
