import { carriesCredentials } from './credential-name.ts';
import { redactTokens } from './redact-tokens.ts';
import { redactNamed, redactUrl } from './redact-url.ts';
import { REDACTED, type Redaction } from './redaction.ts';

/** What an Authorization header begins with; some go by another name. */
const SCHEME = /^\s*(?:Bearer|Basic|Digest|Negotiate|NTLM|Token|ApiKey|AWS4-HMAC-SHA256)\s+\S|-----BEGIN /i;

/** A header's value as it is told. URLs in the values of other headers (`:path`, `referer`, `location`, `link`) are redacted too. */
export function redactHeader(name: string, value: string, rules: Redaction): string {
  if (value === '' || rules.allowsHeader(name)) return value;
  if (carriesCredentials(name)) return REDACTED;
  // Of what a server asks for, it tells the names.
  if (/^(?:www|proxy)-authenticate$/i.test(name)) return value;
  return SCHEME.test(value) ? REDACTED : redactText(value, rules);
}

/** Text with URLs, tokens and `name=value` in it. */
export function redactText(text: string, rules: Redaction): string {
  const told = redactNamed(redactTokens(text), rules);
  if (!told.includes('/') && !told.includes('?')) return told;
  // Whole words: a comma may stand within a query.
  return told
    .split(/([\s<>"'()]+)/)
    .map((word) => (mayBeUrl(word) ? redactUrl(word, rules) : word))
    .join('');
}

function mayBeUrl(word: string): boolean {
  return word.startsWith('/') || word.includes('//') || word.includes('?');
}
