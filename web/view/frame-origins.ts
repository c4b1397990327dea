/**
 * Whether an origin (`https://portal.example:8443`) is one of those allowed. These are written as in the content security
 * policy's frame-ancestors: origins, with `*.` before a name for all names below it. Anything wider is not understood here.
 */
export function isAllowedOrigin(origin: string, allowed: readonly string[], own: string): boolean {
  if (origin === own) return true;
  const [scheme, rest] = parts(origin);
  if (scheme === '') return false;
  return allowed.some((entry) => {
    const [allowedScheme, allowedRest] = parts(entry);
    if (allowedScheme !== scheme) return false;
    return allowedRest.startsWith('*.')
      ? rest.length > allowedRest.length - 1 && rest.endsWith(allowedRest.slice(1))
      : rest === allowedRest;
  });
}

/** Scheme and what follows it; empty for what is no origin of the web. */
function parts(origin: string): [scheme: string, rest: string] {
  const match = /^(https?):\/\/([^/?#@\\]+)$/.exec(origin.toLowerCase());
  return match === null ? ['', ''] : [match[1]!, match[2]!];
}
