import type { ManifestDocument, Path, Place } from '../manifest/document.ts';
import { FieldCheck, formatPath } from '../manifest/field-check.ts';

export type Severity = 'error' | 'warning';

/**
 * Everything a validation can say, by number. Numbers stay what they are: people search for them and silence them.
 * WP0xx: the policy cannot be used. WP1xx: seen in the policy alone. WP2xx: seen against a cluster.
 */
export const FINDINGS = {
  WP001: { severity: 'error', title: 'the text is not YAML or JSON', fix: 'mend the syntax at this place' },
  WP002: { severity: 'error', title: 'a field has a wrong value', fix: 'give the field a value of this kind' },
  WP003: { severity: 'error', title: 'there is no such field', fix: 'correct its name, or remove it' },
  WP004: {
    severity: 'error',
    title: 'this cannot be enforced here, so the policy is refused',
    fix: 'express it with selectors of pods, entities or CIDRs',
  },
  WP005: {
    severity: 'error',
    title: 'these fields cannot stand in one rule',
    fix: 'write a rule for each: rules of one list add up',
  },
  WP101: {
    severity: 'warning',
    title: 'layer 7 rules are not enforced yet',
    fix: 'count on its ports and peers only: they are enforced, and every request on them is allowed',
  },
  WP102: {
    severity: 'warning',
    title: 'rules by DNS name are not enforced yet',
    fix: 'the rule allows nobody until they are; use toCIDR for addresses that must be reached',
  },
  WP103: {
    severity: 'warning',
    title: 'TLS and listener settings are not enforced yet',
    fix: 'count on its ports and peers only: they are enforced',
  },
  WP111: { severity: 'warning', title: 'the rule matches nothing', fix: 'list what it is about, or remove the field' },
  WP112: {
    severity: 'warning',
    title: 'an empty Cilium rule allows nothing: it only makes the default deny',
    fix: 'to allow everybody, use an entity: fromEntities or toEntities [all]',
  },
  WP113: { severity: 'warning', title: 'the policy has no effect', fix: 'add a rule, or set enableDefaultDeny' },
  WP114: {
    severity: 'warning',
    title: 'a CiliumNetworkPolicy selects pods of its own namespace only',
    fix: 'use a CiliumClusterwideNetworkPolicy to select pods elsewhere',
  },
  WP115: {
    severity: 'warning',
    title: 'addresses have no port names, so the rule matches none of them',
    fix: 'give the port as a number',
  },
  WP116: {
    severity: 'warning',
    title: 'the annotation waggle.dev/enforcement has an unknown value; the policy is enforced',
    fix: 'write "audit" or "enforce"',
  },
  WP117: {
    severity: 'warning',
    title: 'no pod can have a label of this source',
    fix: 'use k8s: or no prefix for labels of pods',
  },
  WP118: {
    severity: 'warning',
    title: 'no identity has a label of this key: it differs from pod to pod, so nothing can be selected by it',
    fix: 'select by a label of the workload, such as app',
  },
  WP201: {
    severity: 'warning',
    title: 'the policy selects no pod',
    fix: 'compare its selector with the labels of pods',
  },
  WP202: {
    severity: 'warning',
    title: 'selected pods cannot ask DNS: their names will not resolve',
    fix: 'allow egress to the cluster DNS pods on port 53, UDP and TCP',
  },
  WP203: {
    severity: 'warning',
    title: 'the rule names nobody that exists now',
    fix: 'compare its selectors with labels',
  },
  WP204: { severity: 'warning', title: 'no pod names a port like this', fix: 'give the number, or name the port' },
  WP205: { severity: 'warning', title: 'there is no such Service', fix: 'correct its name, or create it' },
} as const satisfies Record<string, { severity: Severity; title: string; fix: string }>;

export type FindingCode = keyof typeof FINDINGS;

export interface Finding extends Place {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** Names the object and the field. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
}

/** @param message empty for the title of its kind; `fix` likewise, where it is left out */
export function finding(code: FindingCode, place: Place, message: string, fix?: string): Finding {
  const { severity, title, fix: usual } = FINDINGS[code];
  return { ...place, code, severity, message: message === '' ? title : message, fix: fix ?? usual };
}

/** `policy.yaml:12:5: error WP003: NetworkPolicy web: spec.ingres is no field of it; did you mean ingress?` */
export function findingText({ file, line, column, severity, code, message }: Finding): string {
  return `${file}:${line}:${column}: ${severity} ${code}: ${message}`;
}

/** Gathers findings on one object, each with the place of the field it is about. */
export class PolicyCheck extends FieldCheck {
  readonly findings: Finding[] = [];
  readonly #document: ManifestDocument;

  constructor(document: ManifestDocument) {
    super(document);
    this.#document = document;
  }

  get failed(): boolean {
    return this.findings.some(({ severity }) => severity === 'error');
  }

  override fail(path: Path, message: string): void {
    this.report('WP002', path, message);
  }

  /** Says it of the field at the path; without a message, says what the code means. */
  report(code: FindingCode, path: Path, message: string = FINDINGS[code].title, fix?: string): void {
    const field = formatPath(path);
    const joint = message === FINDINGS[code].title && field !== '' ? `${field}: ` : field === '' ? '' : `${field} `;
    const text = `${this.subject === '' ? '' : `${this.subject}: `}${joint}${message}`;
    // Of a field that should not be there, the name is what is wrong; of one that should, its value.
    const place = code === 'WP003' ? this.#document.placeOfName(path) : this.#document.place(path);
    this.findings.push(finding(code, place, text, fix));
  }

  place(path: Path): Place {
    return this.#document.place(path);
  }

  /** True where the key stands with a value, an empty one included. Null is the same as missing, as in Kubernetes. */
  has(path: Path): boolean {
    const value = this.at(path);
    return value !== undefined && value !== null;
  }

  /** A map with none but these fields: a misspelt one would widen a policy in silence. */
  fields(path: Path, allowed: readonly string[], required = false): boolean {
    const map = this.map(path, required);
    if (map === undefined) return false;
    for (const key of Object.keys(map)) {
      if (allowed.includes(key)) continue;
      const meant = allowed.find((name) => nearlySame(name, key));
      this.report('WP003', [...path, key], `is no field${meant === undefined ? '' : `; did you mean ${meant}?`}`);
    }
    return true;
  }
}

/** Equal but for letter case, or for one letter that is missing, too many or wrong. */
export function nearlySame(a: string, b: string): boolean {
  const [short, long] = [a.toLowerCase(), b.toLowerCase()].sort((x, y) => x.length - y.length) as [string, string];
  if (long.length - short.length > 1) return false;
  let at = 0;
  while (at < short.length && short[at] === long[at]) at++;
  return short.slice(long.length === short.length ? at + 1 : at) === long.slice(at + 1);
}
