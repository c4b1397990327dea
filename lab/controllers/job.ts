import { deleteObject } from '../store/delete.ts';
import { type ObjectStore, timestamp } from '../store/object-store.ts';
import { type Condition, isPodFinished, type Job, type Pod } from '../store/objects.ts';
import type { Controller } from './control-loop.ts';
import { activePods, byOwner, updateStatus } from './owned.ts';
import { podFromTemplate } from './pod-template.ts';

/** Runs each Job's pods to the number of completions it asks for, at most `parallelism` of them at a time. */
export const jobController: Controller = {
  kinds: ['Job', 'Pod'],
  reconcile(store) {
    const pods = byOwner(store.list<Pod>('Pod'));
    for (const job of store.list<Job>('Job')) reconcileJob(store, job, pods.get(job.metadata.uid) ?? []);
  },
};

function reconcileJob(store: ObjectStore, job: Job, pods: Pod[]): void {
  const { completions = 1, parallelism = 1, backoffLimit = 6, template } = job.spec;
  const ended = pods.filter(isPodFinished);
  const succeeded = ended.filter((pod) => pod.status.phase === 'Succeeded').length;
  const failed = ended.length - succeeded;
  const active = activePods(pods);
  const done = job.status.conditions?.some(({ type }) => type === 'Complete' || type === 'Failed') ?? false;
  const restarts = pods
    .flatMap((pod) => pod.status.containerStatuses ?? [])
    .reduce((sum, c) => sum + c.restartCount, 0);
  const outcome = succeeded >= completions ? 'Complete' : failed + restarts > backoffLimit ? 'Failed' : undefined;
  if (done || outcome) {
    for (const pod of active) deleteObject(store, pod);
  } else {
    const wanted = Math.min(parallelism, completions - succeeded);
    while (active.length < wanted) {
      const labels = { 'batch.kubernetes.io/job-name': job.metadata.name, 'job-name': job.metadata.name };
      active.push(store.put(podFromTemplate(job, template, { labels })));
    }
  }
  const finishing = done || outcome !== undefined;
  updateStatus(store, job, {
    ...job.status,
    active: finishing ? 0 : active.length,
    succeeded,
    failed,
    startTime: job.status.startTime ?? timestamp(),
    ...(!done && outcome ? { conditions: [condition(outcome)] } : {}),
    ...(!done && outcome === 'Complete' ? { completionTime: timestamp() } : {}),
  });
}

function condition(type: 'Complete' | 'Failed'): Condition {
  const reason = type === 'Failed' ? { reason: 'BackoffLimitExceeded' } : {};
  return { type, status: 'True', ...reason, lastTransitionTime: timestamp() };
}
