import { redactUrl } from './redact-url.ts';
import { REDACTED, type Redaction } from './redaction.ts';

/** Parts of names by which headers that carry credentials go: `authorization`, `x-api-key`, `x-csrf-token`, `set-cookie`. */
const CREDENTIAL_WORDS = [
  'auth',
  'token',
  'secret',
  'cookie',
  'passw',
  'passphrase',
  'credential',
  'session',
  'apikey',
  'api-key',
  'access-key',
  'private-key',
  'signature',
  'jwt',
  'bearer',
  'client-cert',
  'otp',
  'csrf',
  'xsrf',
  'dpop',
  'saml',
  'assertion',
  'subscription-key',
  'functions-key',
  'master-key',
  'account-key',
];
/** Names that only sound like those: the host that was asked, and what a server asks its client for. */
const HARMLESS = new Set([':authority', 'authority', 'www-authenticate', 'proxy-authenticate']);

/** Whether a header goes by a name of those that carry credentials. */
export function carriesCredentials(name: string): boolean {
  const lower = name.toLowerCase().replaceAll('_', '-');
  return !HARMLESS.has(lower) && CREDENTIAL_WORDS.some((word) => lower.includes(word));
}

/** A header's value as it is told. URLs in the values of other headers (`:path`, `referer`, `location`, `link`) are redacted too. */
export function redactHeader(name: string, value: string, rules: Redaction): string {
  if (value === '' || rules.allowsHeader(name)) return value;
  if (carriesCredentials(name)) return REDACTED;
  // Whole words: a comma may stand within a query.
  return value
    .split(/([\s<>"'()]+)/)
    .map((word) => (mayBeUrl(word) ? redactUrl(word, rules) : word))
    .join('');
}

function mayBeUrl(word: string): boolean {
  return word.startsWith('/') || word.includes('//') || word.includes('?');
}
