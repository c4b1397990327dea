import { useState } from 'react';
import { plural } from '../../graph/card-words.ts';
import { changeView } from '../../view/view-store.ts';
import type { PolicedWorkload, PolicyReport } from '../../worker/policy-report.ts';
import { PolicyLink, ProtectionMark } from './policy-marks.tsx';

const SHOWN_POLICIES = 4;
/** Rows drawn before more are asked for. */
const SHOWN = 300;

/** Workloads with how far they are covered, each direction by itself. */
export function WorkloadRows(props: {
  workloads: readonly PolicedWorkload[];
  report: PolicyReport;
  /** Key of a policy that need not be named. */
  without?: string;
}) {
  const [all, setAll] = useState(false);
  const shown = all ? props.workloads : props.workloads.slice(0, SHOWN);
  const more = props.workloads.length - shown.length;
  return (
    <table className="w-full border-collapse text-left text-sm">
      <thead className="text-2xs text-faint">
        <tr className="[&>th]:pb-1 [&>th]:font-normal">
          <th scope="col">Workload</th>
          <th scope="col" className="w-[72px]">
            Pods
          </th>
          <th scope="col" className="w-[110px]">
            Ingress
          </th>
          <th scope="col" className="w-[110px]">
            Egress
          </th>
          <th scope="col">{props.without === undefined ? 'Selected by' : 'Also selected by'}</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((workload) => (
          <WorkloadRow key={workload.key} {...props} workload={workload} />
        ))}
        {more > 0 && (
          <tr className="border-t border-line">
            <td colSpan={5} className="py-2">
              <button
                type="button"
                onClick={() => setAll(true)}
                className="text-sm text-link underline-offset-2 hover:underline"
              >
                Show {plural(more, 'other', 'others')}
              </button>
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

function WorkloadRow(props: { workload: PolicedWorkload; report: PolicyReport; without?: string }) {
  const { workload, report, without } = props;
  const { key, name, namespace, kind, pods } = workload;
  const policies = workload.policies
    .flatMap((at) => report.policies[at] ?? [])
    .filter((policy) => policy.key !== without);
  return (
    <tr className="border-t border-line align-top [&>td]:py-1.5">
      <td className="min-w-0 pr-3">
        <button
          type="button"
          title={`${kind} ${namespace}/${name}, on the map`}
          onClick={() => changeView({ mode: 'map', select: key })}
          className="max-w-full truncate text-left underline-offset-2 hover:text-link hover:underline"
        >
          {name}
        </button>{' '}
        <span className="text-faint">{namespace}</span>
      </td>
      <td className="numbers text-xs text-dim">{pods}</td>
      <td className="text-xs">
        <ProtectionMark value={workload.ingress} />
      </td>
      <td className="text-xs">
        <ProtectionMark value={workload.egress} />
      </td>
      <td className="min-w-0 text-xs">
        {policies.length === 0 ? (
          <span className={without === undefined ? 'text-accent-text' : 'text-faint'}>
            {without === undefined ? 'no policy' : '–'}
          </span>
        ) : (
          <ul className="flex flex-wrap gap-x-3">
            {policies.slice(0, SHOWN_POLICIES).map((policy) => (
              <li key={policy.key} className="min-w-0">
                <PolicyLink policy={policy} />
              </li>
            ))}
            {policies.length > SHOWN_POLICIES && (
              <li className="text-faint">and {plural(policies.length - SHOWN_POLICIES, 'other', 'others')}</li>
            )}
          </ul>
        )}
      </td>
    </tr>
  );
}
