import { readFileSync } from 'node:fs';
import { accessReview } from '#backend/access/access-review.ts';
import type { AccessOptions } from '#backend/access/open-access.ts';
import { AuditLog } from '#backend/auth/audit-log.ts';
import { EndedSessions } from '#backend/auth/ended-sessions.ts';
import { LoginLimit } from '#backend/auth/login-limit.ts';
import { proxySignIn } from '#backend/auth/proxy-sign-in.ts';
import { Replicas } from '#backend/auth/replicas.ts';
import { Seal } from '#backend/auth/sealed.ts';
import { Sessions } from '#backend/auth/sessions.ts';
import type { SignInParts } from '#backend/auth/sign-in.ts';
import { TokenReviews, tokenReview } from '#backend/auth/token-reviews.ts';
import { tokenSignIn } from '#backend/auth/token-sign-in.ts';
import { isLoopback, parseAddress } from '#runtime/address.ts';
import type { Logger } from '#runtime/log.ts';
import type { AccessFlags } from './access-settings.ts';
import { apiClientOf } from './cluster-source-settings.ts';
import { CommandError, MISUSE } from './failure.ts';

/** Undefined where nobody has to sign in. Throws CommandError. */
export async function accessOf(flags: AccessFlags, log: Logger): Promise<AccessOptions | undefined> {
  if (flags.auth === 'none') return undefined;
  if (flags.auth === 'proxy' && flags.trustedProxies.length === 0) {
    throw new CommandError('--auth proxy needs --trusted-proxies: anyone could write those headers', MISUSE);
  }
  if (flags.replicas.length > 0 && flags.sessionKeyFile === undefined) {
    throw new CommandError(
      '--replicas needs --session-key-file: without the same keys they do not know each other',
      MISUSE,
    );
  }
  const needsApi = flags.auth === 'token' || flags.access === 'kubernetes';
  const client = needsApi ? await apiClientOf(flags) : undefined;
  const audit = new AuditLog(flags.auditLog, log);
  const seal = new Seal(flags.sessionKeyFile, log);
  const ended = new EndedSessions();
  const sessions = new Sessions({ seal, ended, lengthMs: flags.sessionLength, sameSite: flags.sessionSameSite });
  const replicas =
    flags.replicas.length === 0 ? undefined : new Replicas({ seal, ended, targets: flags.replicas, log });
  const reviews = client && new TokenReviews(tokenReview(client, flags.tokenAudiences));
  const parts: SignInParts = {
    ...{ sessions, reviews, limit: new LoginLimit(), audit },
    tellReplicas: async () => await replicas?.tell(),
  };
  return {
    signIn: await signInOf(flags, parts, log),
    audit,
    replicas,
    maySee: client === undefined || flags.access === 'all' ? async () => true : accessReview(client, flags.accessRule),
    rule: flags.accessRule,
    hiddenEnd: flags.hiddenEnds,
    cluster: flags.accessCluster,
    audiences: flags.audiences,
    onClose: () => {
      seal.close();
      client?.close();
    },
  };
}

async function signInOf(flags: AccessFlags, parts: SignInParts, log: Logger) {
  if (flags.auth === 'proxy') {
    return proxySignIn(parts, { user: flags.proxyUserHeader, groups: flags.proxyGroupsHeader });
  }
  if (flags.auth === 'token') return tokenSignIn({ ...parts, reviews: parts.reviews! });
  const { oidcIssuer: issuer, oidcClientId: clientId } = flags;
  if (issuer === undefined || clientId === undefined) {
    throw new CommandError('--auth oidc needs --oidc-issuer and --oidc-client-id', MISUSE);
  }
  // With its libraries, which nobody else needs.
  const { oidcSignIn } = await import('#backend/auth/oidc-sign-in.ts');
  return oidcSignIn(
    parts,
    {
      issuer,
      clientId,
      clientSecret: flags.oidcClientSecretFile === undefined ? undefined : secretOf(flags.oidcClientSecretFile),
      scopes: flags.oidcScopes,
      userClaim: flags.oidcUserClaim,
      groupsClaim: flags.oidcGroupsClaim,
      userPrefix: flags.oidcUserPrefix,
      groupsPrefix: flags.oidcGroupsPrefix,
      signOutThere: flags.oidcSignOut === 'provider',
    },
    log,
  );
}

/** Who listens to other machines without asking anyone who they are must have said so. Throws CommandError. */
export function checkAnonymous(
  { auth, allowAnonymous }: Pick<AccessFlags, 'auth' | 'allowAnonymous'>,
  addresses: readonly { readonly flag: string; readonly address: string; readonly certified?: boolean }[],
): void {
  if (auth !== 'none' || allowAnonymous) return;
  for (const { flag, address, certified } of addresses) {
    const parsed = parseAddress(address);
    if (certified || parsed === undefined || isLoopback(parsed)) continue;
    throw new CommandError(
      `${flag} ${address} can be reached from other machines, where anyone would see everything: have people sign in with --auth, or say --allow-anonymous`,
      MISUSE,
    );
  }
}

function secretOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CommandError(`the secret ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}
