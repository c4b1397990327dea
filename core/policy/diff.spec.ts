import { expect, test } from 'vitest';
import type { Connection } from './connection.ts';
import { diffConnections, tellingEnd } from './diff.ts';
import { PolicyEngine } from './policy-engine.ts';
import { reasonText } from './reason.ts';
import { specCluster, specPolicies } from './spec-cluster.ts';

const cluster = specCluster({
  web: { namespace: 'shop', labels: { app: 'web' }, address: '10.1.0.1' },
  db: { namespace: 'shop', labels: { app: 'db' }, address: '10.1.0.2' },
  spy: { namespace: 'other', labels: { app: 'spy' }, address: '10.1.0.3' },
});

const policy = (name: string, spec: string, annotations = '{}') => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ${name}, namespace: shop, annotations: ${annotations}}
spec: ${spec}
`;
const CLOSED = policy('closed', '{podSelector: {matchLabels: {app: db}}}');
const FROM_WEB = policy(
  'from-web',
  '{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}',
);

const engine = (...texts: string[]) => new PolicyEngine(specPolicies(texts.join('---\n')), cluster);
const connection = (from: string, to: string): Connection & { name: string } => ({
  name: `${from}>${to}`,
  source: { ...cluster.peer(from), node: 'n1' },
  destination: { ...cluster.peer(to), node: 'n1' },
  protocol: 6,
  port: 5432,
});
const ALL = [connection('web', 'db'), connection('spy', 'db'), connection('spy', 'web')];

function changes(before: PolicyEngine, after: PolicyEngine): string[] {
  return diffConnections(before, after, ALL).map(({ connection: { name }, change, after: decision }) => {
    const end = tellingEnd(decision);
    return `${name} ${change} ${end?.direction} ${end && reasonText(end.decision.audit ?? end.decision.reason)}`;
  });
}

test('who is cut off, and by what', () => {
  expect(changes(engine(), engine(FROM_WEB))).toEqual([
    'spy>db cut-off ingress no rule allows it; closed by NetworkPolicy shop/from-web',
  ]);
});

test('who is let in, and by which rule', () => {
  expect(changes(engine(CLOSED), engine(CLOSED, FROM_WEB))).toEqual([
    'web>db let-in ingress allowed by NetworkPolicy shop/from-web spec.ingress[0]',
  ]);
});

test('a policy that is only audited cuts nobody off, and is told', () => {
  const audited = policy('closed', '{podSelector: {matchLabels: {app: db}}}', '{waggle.dev/enforcement: audit}');
  expect(changes(engine(), engine(audited)).map((text) => text.split(' ').slice(0, 2))).toEqual([
    ['web>db', 'audited'],
    ['spy>db', 'audited'],
  ]);
  expect(changes(engine(audited), engine()).map((text) => text.split(' ')[1])).toEqual(['cleared', 'cleared']);
});

test('the same policies change nothing', () => {
  expect(changes(engine(FROM_WEB), engine(FROM_WEB))).toEqual([]);
});
