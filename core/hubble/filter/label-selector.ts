import { FlowFilterError } from './filter-part.ts';

const KEY = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const LONGEST = 1_024;

/** True of labels (`k8s:app=web`) that the selector selects. */
export type LabelSelector = (labels: readonly string[]) => boolean;

/**
 * A selector in Kubernetes' text form: `app=web, tier in (a, b), !canary, weight > 3`, all of which must hold. A key may
 * name its label's source, as in `k8s:app` or `reserved:host`; `any:`, or none, is any source. Throws FlowFilterError.
 */
export function readLabelSelector(text: string, field: string): LabelSelector {
  if (text.length > LONGEST) throw new FlowFilterError(field, text, `is longer than ${LONGEST} characters`);
  if (text.trim() === '') return () => true;
  const requirements = splitRequirements(text).map((part) => readRequirement(part.trim(), field, text));
  return (labels) => requirements.every((holds) => holds(labels));
}

/** At the commas that stand in no brackets. */
function splitRequirements(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')') depth--;
    else if (text[at] === ',' && depth === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function readRequirement(part: string, field: string, text: string): LabelSelector {
  const wrong = (problem: string) => new FlowFilterError(field, text, problem);
  const negated = part.startsWith('!');
  const rest = negated ? part.slice(1).trim() : part;
  const [key] = /^[^\s=!<>(),]*/.exec(rest)!;
  const operation = rest.slice(key.length).trim();
  const colon = key.indexOf(':');
  const source = colon < 0 ? 'any' : key.slice(0, colon);
  const name = key.slice(colon + 1);
  if (!KEY.test(name)) throw wrong(`is not a label selector: "${key || part}" is not a label key`);
  const value = (labels: readonly string[]) => labelValue(labels, source, name);

  if (operation === '') return (labels) => (value(labels) !== undefined) !== negated;
  if (negated) throw wrong(`is not a label selector: nothing may follow "!${key}"`);
  const set = /^(in|notin)\s*\(([^()]*)\)$/.exec(operation);
  if (set !== null) {
    const values = set[2].split(',').map((one) => checkedValue(one.trim(), wrong));
    const isIn = (found: string | undefined) => found !== undefined && values.includes(found);
    return set[1] === 'in' ? (labels) => isIn(value(labels)) : (labels) => !isIn(value(labels));
  }
  const comparison = /^(==|=|!=|<|>)\s*([^\s=!<>(),]*)$/.exec(operation);
  if (comparison === null) throw wrong(`is not a label selector: "${operation}" is not understood after "${key}"`);
  const [, operator, wanted] = comparison;
  if (operator === '<' || operator === '>') {
    if (!/^-?\d{1,18}$/.test(wanted)) throw wrong(`is not a label selector: "${wanted}" is not a whole number`);
    const limit = BigInt(wanted);
    return (labels) => {
      const found = value(labels);
      if (found === undefined || !/^[-+]?\d{1,18}$/.test(found)) return false;
      return operator === '<' ? BigInt(found) < limit : BigInt(found) > limit;
    };
  }
  checkedValue(wanted, wrong);
  return operator === '!=' ? (labels) => value(labels) !== wanted : (labels) => value(labels) === wanted;
}

function checkedValue(value: string, wrong: (problem: string) => Error): string {
  if (!VALUE.test(value)) throw wrong(`is not a label selector: "${value}" is not a label value`);
  return value;
}

/** The value of the first label with this key; empty for a label that is only a key. */
function labelValue(labels: readonly string[], source: string, key: string): string | undefined {
  for (const label of labels) {
    const equals = label.indexOf('=');
    const left = equals < 0 ? label : label.slice(0, equals);
    const colon = left.indexOf(':');
    if (left.slice(colon + 1) !== key) continue;
    if (source === 'any' || source === left.slice(0, Math.max(colon, 0)))
      return equals < 0 ? '' : label.slice(equals + 1);
  }
  return undefined;
}
