import { DIRECTION } from '#core/flow/direction.ts';
import { DROP_REASON } from '#core/flow/drop-reason.ts';
import type { Endpoint } from '#core/flow/endpoint.ts';
import { NO_DECISION, type PolicyReference } from '#core/flow/policy-decision.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { InProcessAgent } from '#runtime/testing/in-process-agent.ts';
import { type SampleFlow, TO_ENDPOINT } from '#runtime/testing/sample-flows.ts';
import { buildWeb } from '../scripts/build-web.ts';
import { Backend } from './backend.ts';

export { CLUSTER, DB, pod, WEB, WORLD } from '#runtime/testing/sample-flows.ts';

/** A policy as a whole, of the namespace where it stands. */
export function policy(namespace: string, name: string, rule = -1): PolicyReference {
  return { kind: 'NetworkPolicy', namespace, name, rule };
}

type Ends = { readonly source: Endpoint; readonly destination: Endpoint; readonly destinationPort?: number };

/** A first packet that no policy allows, dropped on its way into the destination. */
export function droppedByPolicy(ends: Ends, ...selecting: PolicyReference[]): SampleFlow {
  const decision = { ...NO_DECISION, direction: DIRECTION.INGRESS, deniedBy: selecting, defaultDeny: true };
  return { ...ends, ...TO_ENDPOINT, verdict: VERDICT.DROPPED, dropReason: DROP_REASON.POLICY_DENIED, decision };
}

/** A first packet dropped for another reason. */
export function dropped(ends: Ends, dropReason: number): SampleFlow {
  return { ...ends, ...TO_ENDPOINT, verdict: VERDICT.DROPPED, dropReason };
}

/** A first packet that passes, but would not if policies were enforced and not audited. */
export function audited(ends: Ends, ...selecting: PolicyReference[]): SampleFlow {
  const decision = { ...NO_DECISION, direction: DIRECTION.INGRESS, auditDeniedBy: selecting, auditDefaultDeny: true };
  return { ...ends, ...TO_ENDPOINT, verdict: VERDICT.AUDIT, decision };
}

/** A first packet that a rule allows. */
export function allowed(ends: Ends, ...rules: PolicyReference[]): SampleFlow {
  return { ...ends, ...TO_ENDPOINT, decision: { ...NO_DECISION, direction: DIRECTION.INGRESS, allowedBy: rules } };
}

/** A peer over the real agent API that tells what a test wants it to: states that are hard to bring about, or not there yet. */
export class FakeAgent extends InProcessAgent {
  readonly #repeating = new Set<ReturnType<typeof setInterval>>();

  /** Observes these flows now, and again every so often, so that rates last. Returns what ends it. */
  keepObserving(everyMs: number, ...flows: SampleFlow[]): () => void {
    this.observe(...flows);
    const timer = setInterval(() => this.observe(...flows), everyMs);
    this.#repeating.add(timer);
    return () => {
      clearInterval(timer);
      this.#repeating.delete(timer);
    };
  }

  override async stop(): Promise<void> {
    for (const timer of this.#repeating) clearInterval(timer);
    this.#repeating.clear();
    await super.stop();
  }
}

/** A backend, as people run it, in front of agents that a test feeds. No privileges are needed. */
export class FakeCluster {
  readonly agents: readonly FakeAgent[];
  readonly backend: Backend;

  private constructor(agents: readonly FakeAgent[], backend: Backend) {
    this.agents = agents;
    this.backend = backend;
  }

  static async start(nodes: readonly string[] = ['node-1'], settings: readonly string[] = []): Promise<FakeCluster> {
    await buildWeb();
    const agents = nodes.map((name) => new FakeAgent(name));
    try {
      for (const agent of agents) await agent.start();
      const targets = agents.map(({ target }) => target).join(',');
      return new FakeCluster(agents, await Backend.startWith(['--agent', targets, ...settings]));
    } catch (error) {
      for (const agent of agents) await agent.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.backend.stop();
    for (const agent of this.agents) await agent.stop();
  }
}
