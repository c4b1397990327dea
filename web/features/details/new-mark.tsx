import { formatMoment } from '../../format/time.ts';

/** Says that something was never seen before: nobody could have known of it ten minutes ago. `since`: when the server began to look. */
export function NewMark({ since }: { since: number }) {
  return (
    <span
      title={`Never seen before, since the server began to look (${formatMoment(since)})`}
      className="shrink-0 rounded-sm border border-accent px-1 text-2xs leading-4 text-accent-text"
    >
      new<span className="sr-only">: never seen before</span>
    </span>
  );
}
