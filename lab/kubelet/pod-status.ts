import { timestamp } from '../store/object-store.ts';
import type { Condition, ContainerStatus, PodPhase, PodSpec } from '../store/objects.ts';

/** A pod's phase from its containers' states, by Kubernetes' rules. */
export function podPhase(restartPolicy: NonNullable<PodSpec['restartPolicy']>, statuses: ContainerStatus[]): PodPhase {
  const terminated = statuses.flatMap(({ state }) => (state.terminated ? [state.terminated] : []));
  const allEnded = statuses.length > 0 && terminated.length === statuses.length;
  if (allEnded && restartPolicy !== 'Always') {
    if (terminated.every(({ exitCode }) => exitCode === 0)) return 'Succeeded';
    if (restartPolicy === 'Never') return 'Failed';
  }
  // A container that has never run and still waits keeps the pod pending.
  const begun = (status: ContainerStatus): boolean =>
    status.state.waiting === undefined || status.lastState.terminated !== undefined;
  return statuses.length > 0 && statuses.every(begun) ? 'Running' : 'Pending';
}

/** A pod's conditions; one that stays as it was keeps its time of change. */
export function podConditions(
  before: Condition[] = [],
  phase: PodPhase,
  statuses: ContainerStatus[],
  problem?: string,
): Condition[] {
  const ready = phase === 'Running' && statuses.every((status) => status.ready);
  const notReady = phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : 'ContainersNotReady';
  const set = (type: string, holds: boolean, reason?: string, message?: string): Condition => {
    const status = holds ? 'True' : 'False';
    const why = holds ? {} : { ...(reason ? { reason } : {}), ...(message ? { message } : {}) };
    const old = before.find((condition) => condition.type === type);
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : timestamp();
    return { type, status, ...why, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) };
  };
  return [
    set('PodScheduled', true),
    set('PodReadyToStartContainers', statuses.length > 0 && problem === undefined, 'SandboxNotReady', problem),
    set('Initialized', true),
    set('ContainersReady', ready, notReady),
    set('Ready', ready, notReady),
  ];
}
