import type { ClusterSource } from '#runtime/cluster/source.ts';
import type { Health } from '#runtime/health.ts';
import type { KeptEntry } from './cni/kept-entry.ts';
import type { RunDirectory } from './run-directory.ts';
import type { NodeServices } from './services/node-services.ts';
import type { NodeSync } from './sync/node-sync.ts';
import { andMore, noneObserved, notObserved } from './sync/observed-pods.ts';

const STATE_UNREAD = 'the cluster state could not be read yet; what was in force before stays so';

export interface AgentParts {
  readonly health: Health;
  readonly source: ClusterSource;
  readonly sync: Pick<NodeSync, 'pods' | 'policy'>;
  /** Undefined where Services are left to others. */
  readonly services: Pick<NodeServices, 'attachProblem' | 'problem'> | undefined;
  readonly run: Pick<RunDirectory, 'problem'>;
  /** Undefined where no list of the container runtime is to be kept. */
  readonly cni: Pick<KeptEntry, 'problem'> | undefined;
}

/** Whether the agent does what it is there for: for whoever asks if it is ready, and in words. */
export class AgentCondition {
  readonly #parts: AgentParts;

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  /** @param problem why the desired state could not be put into the maps; empty when it could */
  synchronised(problem: string): void {
    const { health, source, sync, services } = this.#parts;
    this.#tell('pods', unreadProblem(source) || problem || noneObserved(sync.pods.values()));
    const unreachable = services?.attachProblem ?? '';
    if (unreachable !== '') health.unmet('services', unreachable);
    this.#tell('policy', sync.policy.problems[0] ?? '');
  }

  /** What is degraded, in one line; empty when all is well. */
  get problem(): string {
    const { health, source, sync, services, run, cni } = this.#parts;
    const [unmet] = health.problems();
    if (unmet !== undefined) return `${unmet.condition}: ${unmet.problem}`;
    const [problem, ...more] = source.problems();
    if (problem !== undefined) return `${problem.subject}${andMore(more.length)}: ${problem.message}`;
    if (services !== undefined && services.problem !== '') return `Services: ${services.problem}`;
    return cni?.problem || run.problem || notObserved(sync.pods.values());
  }

  #tell(condition: 'pods' | 'policy', problem: string): void {
    if (problem === '') this.#parts.health.met(condition);
    else this.#parts.health.unmet(condition, problem);
  }
}

/** Why nothing is to be made of the cluster's state; empty when something is. */
function unreadProblem(source: ClusterSource): string {
  if (source.unread !== true) return '';
  const reason = source.problems().find(({ stale }) => stale !== undefined)?.stale?.reason;
  return reason === undefined ? STATE_UNREAD : `${STATE_UNREAD}: ${reason}`;
}
