import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalText, identityLabels, type LabelSet } from './label-set.ts';

const web: LabelSet = {
  cluster: 'lab',
  namespace: 'shop',
  namespaceLabels: { 'kubernetes.io/metadata.name': 'shop', role: 'front' },
  podLabels: { app: 'web', tier: 'front' },
  serviceAccount: 'default',
  namedPorts: [
    { name: 'http', protocol: 'TCP', port: 80 },
    { name: 'admin', protocol: 'TCP', port: 9000 },
  ],
};

describe('canonical text of a label set', () => {
  it('does not depend on the order of labels or ports', () => {
    const same: LabelSet = {
      ...web,
      podLabels: { tier: 'front', app: 'web' },
      namespaceLabels: { role: 'front', 'kubernetes.io/metadata.name': 'shop' },
      namedPorts: [web.namedPorts[1], web.namedPorts[0], web.namedPorts[1]],
    };
    expect(canonicalText(same)).toBe(canonicalText(web));
  });

  it.each<[string, Partial<LabelSet>]>([
    ['cluster', { cluster: 'lab2' }],
    ['namespace', { namespace: 'other' }],
    ['namespace label', { namespaceLabels: { role: 'back' } }],
    ['pod label', { podLabels: { app: 'web', tier: 'back' } }],
    ['service account', { serviceAccount: 'robot' }],
    ['named port', { namedPorts: [{ name: 'http', protocol: 'TCP', port: 8080 }] }],
    ['port protocol', { namedPorts: [{ name: 'http', protocol: 'UDP', port: 80 }] }],
  ])('differs by %s', (_, change) => {
    expect(canonicalText({ ...web, ...change })).not.toBe(canonicalText(web));
  });

  it('cannot be forged by characters in its parts', () => {
    const label = fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), { maxKeys: 3 });
    const sets = fc.record({
      cluster: fc.string({ maxLength: 4 }),
      namespace: fc.string({ maxLength: 4 }),
      namespaceLabels: label,
      podLabels: label,
      serviceAccount: fc.string({ maxLength: 4 }),
      namedPorts: fc.constant([]),
    });
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const parts = (s: LabelSet) => [
          s.cluster,
          s.namespace,
          Object.entries(s.namespaceLabels).sort(),
          Object.entries(s.podLabels).sort(),
          s.serviceAccount,
        ];
        expect(canonicalText(a) === canonicalText(b)).toBe(JSON.stringify(parts(a)) === JSON.stringify(parts(b)));
      }),
    );
  });
});

it('shows labels with their source, sorted', () => {
  expect(identityLabels(web)).toEqual([
    'k8s:app=web',
    'k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=shop',
    'k8s:io.cilium.k8s.namespace.labels.role=front',
    'k8s:io.cilium.k8s.policy.cluster=lab',
    'k8s:io.cilium.k8s.policy.serviceaccount=default',
    'k8s:io.kubernetes.pod.namespace=shop',
    'k8s:tier=front',
  ]);
});
