import { type Connection, type ConnectionDecision, type ConnectionVerdict, evaluateConnection } from './connection.ts';
import type { PolicyEngine } from './policy-engine.ts';

/**
 * What becomes of a connection when other policies hold: `cut-off`: it went through and no longer does; `let-in`: it did not
 * and does; `audited`: it goes on going through, and would not if audited policies were enforced; `cleared`: no longer so.
 */
export type Change = 'cut-off' | 'let-in' | 'audited' | 'cleared';

export interface ConnectionChange<C extends Connection> {
  readonly connection: C;
  readonly change: Change;
  readonly before: ConnectionDecision;
  readonly after: ConnectionDecision;
}

/** Of these connections the ones for which the two sets of policies differ, in their order. */
export function diffConnections<C extends Connection>(
  before: PolicyEngine,
  after: PolicyEngine,
  connections: readonly C[],
): ConnectionChange<C>[] {
  return connections.flatMap((connection) => {
    const [was, is] = [before, after].map((engine) => evaluateConnection(engine, connection)) as [
      ConnectionDecision,
      ConnectionDecision,
    ];
    const change = changeOf(was.verdict, is.verdict);
    return change === undefined ? [] : [{ connection, change, before: was, after: is }];
  });
}

function changeOf(before: ConnectionVerdict, after: ConnectionVerdict): Change | undefined {
  if (before === after) return undefined;
  if (after === 'DROPPED') return 'cut-off';
  if (before === 'DROPPED') return 'let-in';
  return after === 'AUDIT' ? 'audited' : 'cleared';
}

/** The reason that a person wants to hear: of the end that denies, else of the one that would, else of the rule that allows. */
export function tellingEnd({ egress, ingress, verdict }: ConnectionDecision) {
  const ends = [
    { direction: 'egress' as const, decision: egress },
    { direction: 'ingress' as const, decision: ingress },
  ].flatMap(({ direction, decision }) => (decision === undefined ? [] : [{ direction, decision }]));
  if (verdict === 'DROPPED') return ends.find(({ decision }) => !decision.allowed);
  if (verdict === 'AUDIT') return ends.find(({ decision }) => decision.audit !== undefined);
  return ends.find(({ decision }) => decision.reason.kind === 'rule') ?? ends.at(-1);
}
