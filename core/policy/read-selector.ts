import { isRelevantLabel } from '../identity/relevant-labels.ts';
import type { Path } from '../manifest/document.ts';
import { isLabelKey, isLabelValue } from '../manifest/names.ts';
import type { PolicyCheck } from './finding.ts';
import { POD_LABEL, type Requirement, requirement, type SelectorOperator } from './selector.ts';

const OPERATORS: readonly SelectorOperator[] = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** Gives the key under which a written label key is looked for, or undefined after saying why there is none. */
export type LabelKeyReader = (key: string, path: Path) => string | undefined;

/** Keys as Kubernetes has them, for labels of one kind of object. */
export function plainKeys(check: PolicyCheck, prefix: string): LabelKeyReader {
  return (key, path) => {
    if (isLabelKey(key)) {
      if (prefix === POD_LABEL && !isRelevantLabel(key)) check.report('WP118', path);
      return `${prefix}${key}`;
    }
    check.fail(path, 'is not a label key');
    return undefined;
  };
}

/**
 * The requirements of a LabelSelector; none when it is empty, which selects everything. Wrong parts are reported and left
 * out: the caller gives up on the policy.
 */
export function readRequirements(check: PolicyCheck, path: Path, key: LabelKeyReader): Requirement[] {
  const requirements: Requirement[] = [];
  if (!check.fields(path, ['matchLabels', 'matchExpressions'])) return requirements;
  for (const name of Object.keys(check.map([...path, 'matchLabels']) ?? {})) {
    const at: Path = [...path, 'matchLabels', name];
    const found = key(name, at);
    // A YAML key without a value is the empty value: `matchLabels: {"reserved:host":}`.
    const value = check.has(at) ? check.text(at) : '';
    if (value !== undefined && !isLabelValue(value)) check.fail(at, `"${value}" is not a label value`);
    else if (found !== undefined && value !== undefined) requirements.push(requirement(found, 'In', [value]));
  }
  check.each([...path, 'matchExpressions'], (at) => {
    const read = readExpression(check, at, key);
    if (read !== undefined) requirements.push(read);
  });
  return requirements;
}

function readExpression(check: PolicyCheck, path: Path, key: LabelKeyReader): Requirement | undefined {
  if (!check.fields(path, ['key', 'operator', 'values'], true)) return undefined;
  const name = check.text([...path, 'key'], true);
  const operator = check.text([...path, 'operator'], true) as SelectorOperator | undefined;
  const found = name === undefined ? undefined : key(name, [...path, 'key']);
  const values: string[] = [];
  check.each([...path, 'values'], (at) => {
    const value = check.text(at, true);
    if (value !== undefined && !isLabelValue(value)) check.fail(at, `"${value}" is not a label value`);
    else if (value !== undefined) values.push(value);
  });
  if (operator === undefined) return undefined;
  if (!OPERATORS.includes(operator)) {
    check.fail([...path, 'operator'], `must be ${OPERATORS.join(', ')}, not "${operator}"`);
    return undefined;
  }
  const wanted = operator === 'In' || operator === 'NotIn';
  if (wanted !== values.length > 0) {
    check.fail([...path, 'values'], wanted ? `must not be empty for ${operator}` : `must be left out for ${operator}`);
  }
  return found === undefined ? undefined : requirement(found, operator, values);
}
