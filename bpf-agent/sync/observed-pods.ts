import type { NodePod } from './node-sync.ts';

/** A pod with an address whose interface was not found for this long is a problem of the node. */
const UNOBSERVED_MS = 5_000;

/** How many of the node's pods have the programs on their interface. */
export function countObserved(pods: Iterable<NodePod>): number {
  let count = 0;
  for (const pod of pods) if (isObserved(pod)) count++;
  return count;
}

export function isObserved(pod: NodePod): pod is NodePod & Required<Pick<NodePod, 'endpoint'>> {
  return pod.endpoint !== undefined && pod.problem === '';
}

/** Which pods are not observed though they should be, and why the first is not; empty when there are none. */
export function notObserved(pods: Iterable<NodePod>): string {
  const blind = blindTo(pods);
  const [first] = blind;
  if (first === undefined) return '';
  return `not observed: pod ${first.pod.namespace}/${first.pod.name}${andMore(blind.length - 1)}: ${first.problem}`;
}

/** The same where no pod at all is observed: then it is the agent that cannot look, not one pod's network that is strange. */
export function noneObserved(pods: Iterable<NodePod>): string {
  const all = [...pods];
  return all.some(isObserved) ? '' : notObserved(all);
}

function blindTo(pods: Iterable<NodePod>): NodePod[] {
  return [...pods].filter(
    ({ pod, problem, since }) =>
      // Without an address it has not started, or has ended: there is nothing to observe yet, or any more.
      problem !== '' && !pod.finished && pod.addresses.length > 0 && performance.now() - since > UNOBSERVED_MS,
  );
}

/** What is said of those beside the one that is named. */
export function andMore(count: number): string {
  return count === 0 ? '' : ` (and ${count} more)`;
}
