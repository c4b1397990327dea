import { Segmented } from '../../ui/segmented.tsx';
import { Dot } from '../../ui/verdict.tsx';
import type { VerdictFilter } from '../../view/view.ts';
import { changeView, useView } from '../../view/view-store.ts';

const SEGMENTS: readonly { value: VerdictFilter; name: string; label: React.ReactNode }[] = [
  { value: 'all', name: 'All', label: 'All' },
  { value: 'forwarded', name: 'Forwarded', label: <Labelled dot="bg-forwarded" text="Forwarded" /> },
  { value: 'dropped', name: 'Dropped', label: <Labelled dot="bg-dropped" text="Dropped" /> },
  { value: 'audit', name: 'Audit', label: <Labelled dot="bg-audit" text="Audit" /> },
];

function Labelled({ dot, text }: { dot: string; text: string }) {
  return (
    <>
      <Dot className={dot} />
      <span className="max-xl:sr-only">{text}</span>
    </>
  );
}

export function VerdictControl() {
  const { verdict } = useView();
  return (
    <Segmented
      label="Verdict"
      segments={SEGMENTS}
      value={verdict}
      onChange={(value) => changeView({ verdict: value })}
    />
  );
}
