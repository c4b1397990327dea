import { plainAddress } from '#runtime/address.ts';
import type { Authenticate } from '#runtime/grpc/server.ts';
import { Code, StatusError } from '#runtime/grpc/service.ts';
import type { Logger } from '#runtime/log.ts';
import type { AnswerParts, Answers } from '../answers.ts';
import type { AuditLog } from '../auth/audit-log.ts';
import type { Replicas } from '../auth/replicas.ts';
import type { SignIn } from '../auth/sign-in.ts';
import type { MergedFlows } from '../relay/merged-flows.ts';
import { type AccessRule, DEFAULT_ACCESS_RULE, ruleText } from './access-review.ts';
import { Gate } from './gate.ts';
import { type MaySee, Permissions } from './permissions.ts';
import type { HiddenEnd } from './visibility.ts';

/** Who may see what. */
export interface AccessOptions {
  readonly signIn: SignIn;
  readonly audit: AuditLog;
  /** Where sessions end too that end here. */
  readonly replicas?: Replicas;
  readonly maySee: MaySee;
  /** What that asks for in each namespace, for who may see none. Default: {@link DEFAULT_ACCESS_RULE}. */
  readonly rule?: AccessRule;
  /** What is told of an end in a namespace that may not be seen. Default: its namespace. */
  readonly hiddenEnd?: HiddenEnd;
  /** The cluster whose namespaces permissions are about. Default: that of the first node. */
  readonly cluster?: string;
  /** How often open streams ask again, and how long an answer is good for, in milliseconds. */
  readonly checkMs?: number;
  /** Different sets of namespaces that may be looked at at once. */
  readonly audiences?: number;
  /** Calls that one person may have open. */
  readonly calls?: number;
  /** Lets go of what it was opened with. */
  readonly onClose?: () => void;
}

export interface Access {
  readonly signIn: SignIn;
  readonly audit: AuditLog;
  readonly replicas: Replicas | undefined;
  readonly gate: Gate;
  readonly permissions: Permissions;
  /** @param certified the address takes only clients that show a certificate: those without a token see everything */
  authenticate(certified: boolean): Authenticate;
  close(): void;
}

interface Parts {
  readonly relay: MergedFlows;
  readonly parts: AnswerParts;
  readonly everything: Answers;
  readonly log: Logger;
}

export function openAccess(options: AccessOptions, { relay, parts, everything, log }: Parts): Access {
  const { signIn, audit, replicas, checkMs } = options;
  const permissions = new Permissions(options.maySee, () => everything.namespaces(), checkMs);
  const firstCluster = () => relay.nodes().find(({ cluster }) => cluster !== '')?.cluster ?? '';
  const gate = new Gate({
    permissions,
    everything,
    relay,
    parts,
    cluster: () => options.cluster ?? firstCluster(),
    right: ruleText(options.rule ?? DEFAULT_ACCESS_RULE),
    hiddenEnd: options.hiddenEnd ?? 'namespace',
    log,
    checkMs,
    mostAudiences: options.audiences,
    mostCalls: options.calls,
  });
  return {
    signIn,
    audit,
    replicas,
    gate,
    permissions,
    authenticate: (certified) => async (method, header, peer) => {
      if (method.path.startsWith('/grpc.health.v1.Health/')) return undefined;
      const authorization = header('authorization');
      if (authorization === undefined && certified) {
        return { user: 'client certificate', groups: [], uid: '', extra: {}, trusted: true };
      }
      const caller = await signIn.bearer(authorization, plainAddress(peer.replace(/:\d+$/, '')));
      if (caller === undefined) {
        throw new StatusError(
          Code.UNAUTHENTICATED,
          'show a token of the cluster, as "authorization: Bearer …" or by --token-file',
        );
      }
      return caller;
    },
    close() {
      gate.close();
      replicas?.close();
      options.onClose?.();
    },
  };
}
