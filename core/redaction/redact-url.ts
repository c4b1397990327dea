import { carriesCredentials } from './credential-name.ts';
import { redactTokens } from './redact-tokens.ts';
import { REDACTED, type Redaction } from './redaction.ts';

/** A parameter without a value and with a longer name is rather a value without a name. */
const LONGEST_EMPTY_NAME = 20;

/**
 * A URL, or the path and query that a request line has, without what may be a credential: who asks (`user:password@`), the
 * values of the query and of parameters in the path (`;jsessionid=`), the fragment. Names stay, so that one still sees what
 * was asked for. Takes anything: what is no URL is read as one as far as it goes. In time proportional to its length.
 */
export function redactUrl(url: string, rules: Redaction): string {
  const [start, rest] = withoutUserInfo(url);
  const fragmentAt = rest.indexOf('#');
  const beforeFragment = fragmentAt < 0 ? rest : rest.slice(0, fragmentAt);
  const fragment = fragmentAt < 0 ? '' : `#${fragmentAt === rest.length - 1 ? '' : REDACTED}`;
  const queryAt = beforeFragment.indexOf('?');
  const path = queryAt < 0 ? beforeFragment : beforeFragment.slice(0, queryAt);
  const query = queryAt < 0 ? '' : `?${redactParameters(beforeFragment.slice(queryAt + 1), rules)}`;
  const told = redactNamed(redactTokens(redactUsers(redactPath(path, rules))), rules);
  return start + told + query + fragment;
}

/** Who asks, in URLs within a path, and in one that is not well made: `/to/http://ann:pw@shop`, `http:/ann:pw@shop`. */
function redactUsers(path: string): string {
  if (!path.includes('@') && !path.includes('%40')) return path;
  return path
    .replace(/(^|\/)[^/:@]+:[^/@]+@/g, `$1${REDACTED}@`)
    .replace(/(\/\/)[^/@:]+@/g, `$1${REDACTED}@`)
    .replace(/(%3A(?:%2F){1,2})[^/@%]*(?:%3A[^/@%]*)?(?:@|%40)/gi, `$1${REDACTED}@`);
}

/** The values of what goes by the name of a credential without being a parameter: `/token=abc`, `/cb%3Ftoken=abc`. */
export function redactNamed(text: string, rules: Redaction): string {
  if (!text.includes('=') && !/%3D/i.test(text)) return text;
  return text.replace(NAMED, (all, before, name, equals) =>
    carriesCredentials(name) && !rules.allowsQuery(name) ? `${before}${name}${equals}${REDACTED}` : all,
  );
}

const NAMED = /(%3F|%26|(?<![\w.-]))([\w.-]{1,64})(=|%3D)(?:(?!%26)[^/&;,?#\s<>"'()])+/gi;

/** The scheme with what stands for user and password, and what follows. */
function withoutUserInfo(url: string): [string, string] {
  const slashes = url.indexOf('//');
  const schemed = slashes === 0 || (slashes > 0 && /^[^/?#;@]*[a-z0-9+.-]:$/i.test(url.slice(0, slashes)));
  const from = schemed ? slashes + 2 : 0;
  const scheme = url.slice(0, from);
  const rest = url.slice(from);
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  let at = authority.lastIndexOf('@');
  // A password may hold a slash that should have been written as %2F: no host has a colon before anything but a port.
  if (at < 0 && /^[^[:]*:(?!\d{0,5}$)/.test(authority)) at = rest.lastIndexOf('@');
  if (at < 0) return [scheme, rest];
  return [`${scheme}${REDACTED}`, rest.slice(at)];
}

/** `/a;jsessionid=1/b;v=2` */
function redactPath(path: string, rules: Redaction): string {
  if (!path.includes(';')) return path;
  const segments = path.split('/').map((segment) => {
    const at = segment.indexOf(';');
    return at < 0 ? segment : `${segment.slice(0, at + 1)}${redactParameters(segment.slice(at + 1), rules)}`;
  });
  return segments.join('/');
}

/** `name=value` parts between `&` or `;`. One without a name may be a token as a whole. */
function redactParameters(text: string, rules: Redaction): string {
  return text
    .split(/([&;])/)
    .map((part, index) => (index % 2 === 1 ? part : redactParameter(part, rules)))
    .join('');
}

function redactParameter(part: string, rules: Redaction): string {
  const equals = part.indexOf('=');
  const name = equals < 0 ? part : part.slice(0, equals);
  if (rules.allowsQuery(name)) return part;
  const value = equals < 0 ? '' : part.slice(equals + 1);
  // Equals signs at the end may be the padding of a token in base64.
  const named = equals > 0 && (value === '' ? name.length <= LONGEST_EMPTY_NAME : value !== '=');
  if (!named) return part === '' ? '' : REDACTED;
  return value === '' ? part : `${name}=${REDACTED}`;
}
