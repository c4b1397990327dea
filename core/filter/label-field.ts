import { endpointField } from './filter-field.ts';

interface LabelRequirement {
  /** `k8s`, `reserved`, or `any`. */
  readonly source: string;
  readonly key: string;
  /** Undefined: the key alone must be there. */
  readonly value: string | undefined;
}

const SOURCES = ['any', 'k8s', 'reserved'];
const KEY = /^([A-Za-z0-9][A-Za-z0-9.-]*\/)?[A-Za-z0-9][A-Za-z0-9._-]*$/;
const VALUE = /^[A-Za-z0-9._-]*$/;

/** As in Kubernetes selectors, requirements joined by commas must all hold. */
export const labelField = endpointField<LabelRequirement>({
  name: 'label',
  separator: ' ',
  doc: 'identity labels, all of them: "key=value" or "key"; "reserved:world" for reserved ones',
  example: 'label app=web',
  combine: 'all',
  parse(text) {
    const colon = text.indexOf(':');
    const source = colon < 0 ? 'any' : text.slice(0, colon);
    if (!SOURCES.includes(source)) return { problem: `"${source}:" is not a label source: ${SOURCES.join(', ')}` };
    const rest = text.slice(colon + 1);
    const equals = rest.indexOf('=');
    const key = (equals < 0 ? rest : rest.slice(0, equals)).trim();
    const value = equals < 0 ? undefined : rest.slice(rest[equals + 1] === '=' ? equals + 2 : equals + 1).trim();
    if (!KEY.test(key)) return { problem: key === '' ? 'the label key is empty' : `"${key}" is not a label key` };
    if (value !== undefined && !VALUE.test(value)) return { problem: `"${value}" is not a label value` };
    return { value: { source, key, value } };
  },
  print({ source, key, value }) {
    return `${source === 'any' ? '' : `${source}:`}${key}${value === undefined ? '' : `=${value}`}`;
  },
  // Those of Kubernetes stand without their source, as people write them.
  list: ({ labels }) => labels.map((label) => label.replace(/^k8s:/, '')).filter((label) => !label.startsWith('cidr:')),
  matcher({ source, key, value }) {
    return (endpoint) => endpoint.labels.some((label) => labelMatches(label, source, key, value));
  },
});

function labelMatches(label: string, source: string, key: string, value: string | undefined): boolean {
  const colon = label.indexOf(':');
  if (source !== 'any' && label.slice(0, Math.max(colon, 0)) !== source) return false;
  const equals = label.indexOf('=', colon + 1);
  const labelKey = label.slice(colon + 1, equals < 0 ? undefined : equals);
  return labelKey === key && (value === undefined || (equals < 0 ? '' : label.slice(equals + 1)) === value);
}
