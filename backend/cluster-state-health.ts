import type { ClusterSource } from '#runtime/cluster/source.ts';
import type { Health } from '#runtime/health.ts';
import type { Logger } from '#runtime/log.ts';

const LOOK_EVERY_MS = 1_000;

/**
 * Says what is wrong with the cluster state: each problem once in the log, and as not ready when the state as a whole (its
 * `subject`) cannot be read. One broken object keeps nobody from being served, and neither does state that is old where there
 * is no subject: a server that goes quiet must not take the page with it. State that was never read does. Returns the function that ends it.
 */
export function watchClusterState(
  source: ClusterSource,
  subject: string | undefined,
  health: Health,
  log: Logger,
): () => void {
  let told = new Set<string>();
  const look = () => {
    const problems = source.problems();
    // Without its age: that it is older now is no news.
    const now = new Set(problems.map(({ subject, message, stale }) => `${subject}: ${stale?.reason ?? message}`));
    for (const problem of now) if (!told.has(problem)) log.warn({ problem }, 'the cluster state is not whole');
    told = now;
    const whole =
      problems.find((problem) => problem.subject === subject) ??
      (source.unread === true ? problems.find(({ stale }) => stale !== undefined) : undefined);
    if (whole === undefined) health.met('cluster-state');
    else health.unmet('cluster-state', `${whole.subject}: ${whole.message}`);
  };
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
