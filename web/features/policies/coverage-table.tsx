import { useState } from 'react';
import { plural } from '../../graph/card-words.ts';
import { Segmented } from '../../ui/segmented.tsx';
import type { PolicedWorkload, PolicyReport } from '../../worker/policy-report.ts';
import type { PolicyScope } from './policy-summary.ts';
import { WorkloadRows } from './workload-rows.tsx';

type Which = 'all' | 'inward' | 'outward' | 'none';

const HOLDS: Record<Which, (workload: PolicedWorkload) => boolean> = {
  all: () => true,
  inward: ({ ingress }) => ingress !== 'protected',
  outward: ({ egress }) => egress !== 'protected',
  none: ({ policies }) => policies.length === 0,
};

/** Every workload, and whether policies close it. */
export function CoverageTable({ scope, report }: { scope: PolicyScope; report: PolicyReport }) {
  const [which, setWhich] = useState<Which>('all');
  const shown = scope.workloads.filter(HOLDS[which]);
  const counted = (value: Which) => scope.workloads.filter(HOLDS[value]).length;
  const segment = (value: Which, name: string) => ({
    value,
    name,
    label: (
      <>
        {name} <span className="numbers text-2xs text-faint">{counted(value)}</span>
      </>
    ),
  });
  return (
    <section aria-label="Coverage" className="h-full overflow-y-auto p-5">
      <div className="mb-3 flex flex-wrap items-center gap-3">
        <Segmented<Which>
          label="Which workloads"
          value={which}
          segments={[
            segment('all', 'All'),
            segment('inward', 'Open inward'),
            segment('outward', 'Open outward'),
            segment('none', 'No policy'),
          ]}
          onChange={setWhich}
          className="h-8"
        />
        <p className="text-xs text-dim">
          Protected: only what a rule allows gets through. Open: everything does, unless a rule denies it.
        </p>
      </div>
      {shown.length === 0 ? (
        <p role="status" className="border-t border-line py-3 text-sm text-dim">
          {plural(0, 'workload', 'workloads')} of that kind.
        </p>
      ) : (
        <WorkloadRows workloads={shown} report={report} />
      )}
    </section>
  );
}
