import { VERDICT, verdicts } from '#core/flow/verdict.ts';
import { classNames } from './class-names.ts';

interface Look {
  readonly word: string;
  readonly text: string;
  readonly dot: string;
}

const LOOKS: Record<number, Look> = {
  [VERDICT.FORWARDED]: { word: 'forwarded', text: 'text-forwarded-text', dot: 'bg-forwarded' },
  [VERDICT.DROPPED]: { word: 'dropped', text: 'text-dropped-text', dot: 'bg-dropped' },
  [VERDICT.AUDIT]: { word: 'audit', text: 'text-audit-text', dot: 'bg-audit' },
};

export function verdictLook(verdict: number): Look {
  return LOOKS[verdict] ?? { word: verdicts.name(verdict).toLowerCase(), text: 'text-dim', dot: 'bg-faint' };
}

/** A verdict by dot and word: never by colour alone. */
export function Verdict({ verdict }: { verdict: number }) {
  const look = verdictLook(verdict);
  return (
    <span className={classNames('inline-flex items-center gap-1.5', look.text)}>
      <Dot className={look.dot} />
      {look.word}
    </span>
  );
}

export function Dot({ className }: { className: string }) {
  const look = 'inline-block size-[7px] shrink-0 rounded-full forced-color-adjust-none';
  return <span aria-hidden className={classNames(look, className)} />;
}
