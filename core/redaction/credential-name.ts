/** Parts of names by which credentials go: `authorization`, `x-api-key`, `x-csrf-token`, `set-cookie`. */
const CREDENTIAL_PARTS = [
  'auth',
  'token',
  'secret',
  'cookie',
  'passw',
  'passphrase',
  'credential',
  'session',
  'apikey',
  'signature',
  'jwt',
  'bearer',
  'client-cert',
  'otp',
  'csrf',
  'xsrf',
  'dpop',
  'hmac',
  'saml',
  'assertion',
];
/** Whole words of names: too short to be looked for within others. */
const CREDENTIAL_WORDS = new Set(['key', 'keys', 'pwd', 'pass', 'pin', 'sid']);
/** Names that only sound like those: the host that was asked, what a server asks its client for, keys that open nothing. */
const HARMLESS = new Set([
  ':authority',
  'authority',
  'www-authenticate',
  'proxy-authenticate',
  'idempotency-key',
  'x-idempotency-key',
  'sec-websocket-key',
  'surrogate-key',
  'cache-key',
  'x-cache-key',
  'partition-key',
]);

/** Whether a header or parameter goes by a name of those that carry credentials. */
export function carriesCredentials(name: string): boolean {
  const lower = name.toLowerCase().replaceAll('_', '-');
  if (HARMLESS.has(lower)) return false;
  if (CREDENTIAL_PARTS.some((part) => lower.includes(part))) return true;
  return lower.split('-').some((word) => CREDENTIAL_WORDS.has(word));
}
