import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findingText } from './finding.ts';
import { readPolicies, readPolicyObject } from './read-policies.ts';

const read = (text: string) => readPolicies('p.yaml', text);
const told = (text: string) => read(text).findings.map(findingText);

const NETWORK = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: shop
spec:
`;
describe('hostile text', () => {
  it('that blows up or nests without end is refused', () => {
    const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join()}]`);
    expect(told(`l0: &l0 x\n${levels.join('\n')}\n`)[0]).toMatch(/WP001: .*alias/i);
    expect(told('['.repeat(20_000))[0]).toMatch(/WP001: .*nested too deeply/);
    expect(told(' '.repeat(9 * 1024 * 1024))[0]).toMatch(/at most/);
  });

  it('that names what every object has is taken as it is written', () => {
    const text = `${NETWORK}  podSelector: {matchLabels: {constructor: x, toString: y}}\n  ingress: [{}]\n`;
    expect(read(text).policies[0]?.sections[0]?.subject.requirements).toHaveLength(3);
    for (const key of ['__proto__', 'constructor', 'hasOwnProperty']) {
      expect(told(`${NETWORK}  podSelector: {}\n  ${key}: {}\n`)).toContainEqual(expect.stringMatching(/WP003/));
      expect(told(`kind: ${key}\nmetadata: {name: x}\n`)).toEqual([]);
    }
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  const field = fc.constantFrom(
    ...[
      'spec',
      'specs',
      'podSelector',
      'endpointSelector',
      'nodeSelector',
      'ingress',
      'egressDeny',
      'from',
      'to',
      'ports',
    ],
    ...[
      'port',
      'endPort',
      'protocol',
      'ipBlock',
      'cidr',
      'except',
      'matchLabels',
      'matchExpressions',
      'key',
      'operator',
    ],
    ...[
      'values',
      'fromEndpoints',
      'fromCIDRSet',
      'toEntities',
      'toPorts',
      'rules',
      'http',
      'toFQDNs',
      'toServices',
      'icmps',
    ],
    ...[
      'fields',
      'type',
      'enableDefaultDeny',
      'policyTypes',
      '__proto__',
      'authentication',
      'k8sService',
      'serverNames',
    ],
  );
  const value = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'medium' },
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom('TCP', 'In', 'all', '10.0.0.0/8', 80, '80', 'app'),
      fc.dictionary(field, tie('tree'), { maxKeys: 5 }),
      fc.array(tie('tree'), { maxLength: 3 }),
    ),
  })).tree;

  it('never throws, and every finding lies inside it', () => {
    const object = fc.record(
      {
        apiVersion: fc.constantFrom('networking.k8s.io/v1', 'cilium.io/v2', 1, null),
        kind: fc.constantFrom('NetworkPolicy', 'CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy'),
        metadata: fc.oneof(fc.constant({ name: 'x' }), value),
        spec: value,
        specs: fc.array(value, { maxLength: 2 }),
      },
      { requiredKeys: ['kind'] },
    );
    fc.assert(
      fc.property(object, (json) => {
        const text = JSON.stringify(json, null, 1);
        const lines = text.split('\n').length;
        const { policies, findings } = read(text);
        for (const { line, column, message, severity } of findings) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(message).not.toBe('');
          if (severity === 'error') expect(policies).toEqual([]);
        }
        if (policies.length === 0) expect(findings.some(({ severity }) => severity === 'error')).toBe(true);
        readPolicyObject(json, 'state');
      }),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => void read(text)));
  });
});
