import { PROTOCOL } from '../flow/protocol.ts';
import type { Path } from '../manifest/document.ts';
import type { PolicyCheck } from './finding.ts';
import type { PortMatch } from './policy.ts';

const TLS_FIELDS = ['terminatingTLS', 'originatingTLS', 'serverNames', 'listener'];
// What names may consist of; `*` in patterns only. Linear in the length.
const NAME = /^[-a-zA-Z0-9_]+(?:\.[-a-zA-Z0-9_]+)*\.?$/;
const PATTERN = /^[-a-zA-Z0-9_*]+(?:\.[-a-zA-Z0-9_*]+)*\.?$/;
const MAX_TEXT = 1024;

/**
 * Checks the layer 7 and TLS parts of one entry of `toPorts`, so that a mistake is told today, and says that they are not
 * enforced: the entry allows every request on its ports.
 */
export function checkLayer7(check: PolicyCheck, path: Path, ingress: boolean, ports: readonly PortMatch[]): void {
  for (const field of TLS_FIELDS) if (check.has([...path, field])) check.report('WP103', [...path, field]);
  check.texts([...path, 'serverNames']);
  for (const field of ['terminatingTLS', 'originatingTLS', 'listener']) check.map([...path, field]);
  if (ingress && check.has([...path, 'listener'])) check.report('WP005', [...path, 'listener'], 'is for egress only');

  const rules = [...path, 'rules'];
  if (!check.has(rules) || !check.fields(rules, ['http', 'kafka', 'dns', 'l7proto', 'l7'])) return;
  const kinds = ['http', 'kafka', 'dns', 'l7proto'].filter((kind) => check.has([...rules, kind]));
  if (kinds.length > 1) check.report('WP005', rules, `has ${kinds.join(' and ')}`);
  if (check.has([...rules, 'l7']) && !kinds.includes('l7proto')) check.fail([...rules, 'l7'], 'needs an l7proto');
  check.each([...rules, 'http'], (at) => checkHttp(check, at));
  check.each([...rules, 'kafka'], (at) => checkKafka(check, at));
  check.each([...rules, 'dns'], (at) => checkName(check, at));
  check.text([...rules, 'l7proto']);
  check.each([...rules, 'l7'], (at) => void check.map(at, true));
  if (kinds.length === 0) return;
  const dns = kinds.includes('dns');
  if (dns && ingress) check.report('WP005', [...rules, 'dns'], 'is for egress only');
  for (const port of ports) {
    if (port.kind === 'range' && port.first === 0) check.report('WP005', rules, 'cannot stand beside port 0');
    else if (!dns && port.protocol !== PROTOCOL.TCP)
      check.report('WP005', rules, 'is for TCP: give its ports protocol TCP');
    else continue;
    break;
  }
  check.report('WP101', [...rules, kinds[0]!]);
}

function checkHttp(check: PolicyCheck, path: Path): void {
  // An empty entry is every request.
  if (!check.fields(path, ['path', 'method', 'host', 'headers', 'headerMatches'], true)) return;
  for (const field of ['path', 'method', 'host']) checkPattern(check, [...path, field]);
  check.texts([...path, 'headers']);
  check.each([...path, 'headerMatches'], (at) => {
    if (!check.fields(at, ['name', 'value', 'secret', 'mismatch'], true)) return;
    check.text([...at, 'name'], true);
    check.text([...at, 'value']);
    check.map([...at, 'secret']);
    const actions = ['LOG', 'ADD', 'DELETE', 'REPLACE'];
    check.oneOf([...at, 'mismatch'], actions);
  });
}

/** Only its syntax is looked at; nothing is ever matched with it here. */
function checkPattern(check: PolicyCheck, path: Path): void {
  const pattern = check.text(path);
  if (pattern === undefined) return;
  if (pattern.length > MAX_TEXT) {
    check.fail(path, `has ${pattern.length} characters; at most ${MAX_TEXT} are possible`);
    return;
  }
  try {
    new RegExp(pattern);
  } catch {
    check.fail(path, 'is not a regular expression');
  }
}

function checkKafka(check: PolicyCheck, path: Path): void {
  if (!check.fields(path, ['role', 'apiKey', 'apiVersion', 'clientID', 'topic'], true)) return;
  for (const field of ['role', 'apiKey', 'apiVersion', 'clientID', 'topic']) check.text([...path, field]);
  check.oneOf([...path, 'role'], ['produce', 'consume']);
  if (check.has([...path, 'role']) && check.has([...path, 'apiKey']))
    check.report('WP005', path, 'has role and apiKey');
}

/** One of `toFQDNs` or of `rules.dns`: a name or a pattern, not both. */
function checkName(check: PolicyCheck, path: Path): void {
  if (!check.fields(path, ['matchName', 'matchPattern'], true)) return;
  const [name, pattern] = [check.text([...path, 'matchName']), check.text([...path, 'matchPattern'])];
  if ((name === undefined) === (pattern === undefined)) {
    check.fail(path, 'must have either matchName or matchPattern');
  }
  if (name !== undefined && (name.length > 255 || !NAME.test(name))) {
    check.fail([...path, 'matchName'], `"${name.slice(0, 60)}" is not a DNS name`);
  }
  if (pattern !== undefined && (pattern.length > 255 || !PATTERN.test(pattern))) {
    check.fail([...path, 'matchPattern'], `"${pattern.slice(0, 60)}" is not a pattern of a DNS name`);
  }
}

/** They allow nobody yet: no address is known to belong to a name. */
export function checkFqdns(check: PolicyCheck, path: Path, deny: boolean): void {
  check.each(path, (at) => checkName(check, at));
  if (deny) check.report('WP005', path, 'is for allow rules only');
  else check.report('WP102', path);
}
