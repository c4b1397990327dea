import type { ReachView } from '../graph/reach.ts';
import { viewStore } from '../view/view-store.ts';
import { policyStore, watchPolicies } from './policy-store.ts';

/** Tells what policies allow, now and whenever that changes, while the view wants it on the map; null while it does not. */
export function followReach(tell: (reach: ReachView | null) => void): void {
  let stop: (() => void) | undefined;
  let told = 'null';
  const update = () => {
    const wanted = viewStore.get().view.map.reach;
    if (wanted && stop === undefined) stop = watchPolicies();
    else if (!wanted) {
      stop?.();
      stop = undefined;
    }
    const reach = wanted ? reachView() : null;
    const text = JSON.stringify(reach);
    if (text === told) return;
    told = text;
    tell(reach);
  };
  viewStore.subscribe(update);
  policyStore.subscribe(update);
  update();
}

function reachView(): ReachView | null {
  const { report } = policyStore.get();
  if (report === null || report.unavailable !== '') return null;
  return {
    reaches: report.reaches.map(({ source, destination, protocol, firstPort, lastPort }) => ({
      ...{ source, destination, protocol, firstPort, lastPort },
    })),
    closedIngress: report.workloads.flatMap(({ key, ingress }) => (ingress === 'protected' ? key : [])),
    closedEgress: report.workloads.flatMap(({ key, egress }) => (egress === 'protected' ? key : [])),
  };
}
