import { forwardedOf } from './forwarded.ts';
import { outsideCaller } from './sessions.ts';
import { bearerCaller, type SignIn, type SignInParts } from './sign-in.ts';

export interface ProxyHeaders {
  readonly user: string;
  /** Several, with commas between them. */
  readonly groups: string;
}

const DEFAULT_PROXY_HEADERS: ProxyHeaders = { user: 'X-Forwarded-User', groups: 'X-Forwarded-Groups' };

/** A proxy in front has people sign in, and says in headers who they are. Believed only from trusted addresses. */
export function proxySignIn(parts: SignInParts, headers: ProxyHeaders = DEFAULT_PROXY_HEADERS): SignIn {
  return {
    mode: 'proxy',
    sessions: parts.sessions,
    async caller(request, response) {
      const { trusted, client } = forwardedOf(response);
      if (!trusted) return await bearerCaller(parts, request.headers.authorization, client);
      // More than one would be the proxy's beside one that somebody made up.
      const users = request.headersDistinct[headers.user.toLowerCase()] ?? [];
      const told = request.headersDistinct[headers.groups.toLowerCase()] ?? [];
      if (users.length !== 1 || told.length > 1) return undefined;
      const groups = (told[0] ?? '').split(',').map((group) => group.trim());
      const caller = outsideCaller(users[0]!.trim(), groups);
      if (caller !== undefined) parts.audit.seen({ user: caller.user, from: client, by: 'proxy' });
      return caller;
    },
    bearer: (authorization, from) => bearerCaller(parts, authorization, from),
  };
}
