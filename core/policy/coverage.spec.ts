import { describe, expect, test } from 'vitest';
import { coverageOf } from './coverage.ts';
import { PolicyEngine } from './policy-engine.ts';
import { reachOf } from './reach.ts';
import { policyText, ruleText } from './reference.ts';
import { specCluster, specPolicies } from './spec-cluster.ts';

const cluster = specCluster({
  web: { namespace: 'shop', labels: { app: 'web' }, address: '10.1.0.1' },
  db: {
    namespace: 'shop',
    labels: { app: 'db' },
    address: '10.1.0.2',
    ports: [{ name: 'pg', protocol: 'TCP', port: 5432 }],
  },
  cart: { namespace: 'shop', labels: { app: 'cart' }, address: '10.1.0.4' },
  spy: { namespace: 'other', labels: { app: 'spy' }, address: '10.1.0.3' },
});

function policy(name: string, spec: string, annotations = '{}'): string {
  return `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ${name}, namespace: shop, annotations: ${annotations}}
spec: ${spec}
---
`;
}

const DENY = policy('deny', '{podSelector: {}, policyTypes: [Ingress]}');
const TO_DB = policy(
  'to-db',
  '{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: pg}]}]}',
);
const WEB_SILENT = policy('web-silent', '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}');
const AUDIT = '{waggle.dev/enforcement: audit}';

const engineOf = (...texts: string[]) => new PolicyEngine(specPolicies(texts.join('')), cluster);

function coverage(engine: PolicyEngine, pod: string) {
  const { ingress, egress, selectedBy } = coverageOf(engine, engine.index.indexOf(cluster.identityOf[pod]!)!);
  return {
    ingress: ingress.protection,
    egress: egress.protection,
    by: ingress.closedBy.map(({ name }) => name),
    selectedBy: selectedBy.map(policyText),
  };
}

describe('coverage', () => {
  test('tells the directions apart, and who closes them', () => {
    const engine = engineOf(DENY, TO_DB, WEB_SILENT);
    expect(coverage(engine, 'db')).toEqual({
      ingress: 'protected',
      egress: 'open',
      by: ['deny', 'to-db'],
      selectedBy: ['NetworkPolicy shop/deny', 'NetworkPolicy shop/to-db'],
    });
    expect(coverage(engine, 'web')).toMatchObject({ ingress: 'protected', egress: 'protected', by: ['deny'] });
    expect(coverage(engine, 'spy')).toEqual({ ingress: 'open', egress: 'open', by: [], selectedBy: [] });
  });

  test('a policy that is audited protects nobody yet', () => {
    const engine = engineOf(policy('deny', '{podSelector: {}, policyTypes: [Ingress]}', AUDIT));
    expect(coverage(engine, 'db')).toMatchObject({ ingress: 'audited', by: ['deny'] });
  });
});

describe('who may reach whom', () => {
  const ends = ['web', 'db', 'cart', 'spy'].map((key) => ({ key, party: { ...cluster.peer(key), node: 'n1' } }));
  const listed = (engine: PolicyEngine, most = 100) => {
    const outside = { world: 'world', nodes: 'nodes', isInside: (address: Uint8Array) => address[0] === 10 };
    const { reaches, more } = reachOf(engine, ends, outside, most);
    const texts = reaches.map(
      ({ source, destination, protocol, first, last, verdict, rule, anybody, range }) =>
        `${source}>${destination} ${protocol}/${first}-${last} ${verdict} ${ruleText(rule)}${anybody ? ' anybody' : ''}${range && ` ${range}`}`,
    );
    return more ? [...texts, 'more'] : texts;
  };

  test('names the rule, and the number of a port that is named', () => {
    expect(listed(engineOf(DENY, TO_DB))).toEqual([
      'web>db 6/5432-5432 FORWARDED NetworkPolicy shop/to-db spec.ingress[0]',
    ]);
  });

  test('a rule at one end is not enough', () => {
    expect(listed(engineOf(TO_DB, WEB_SILENT))).toEqual([]);
  });

  test('what is audited does not allow; what it would deny is told', () => {
    const silent = policy('web-silent', '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}', AUDIT);
    expect(listed(engineOf(TO_DB, silent))).toEqual([
      'web>db 6/5432-5432 AUDIT NetworkPolicy shop/to-db spec.ingress[0]',
    ]);
  });

  test('for everybody the world stands, once for each who is opened to all', () => {
    const toDb = '{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 80}]}]}';
    expect(listed(engineOf(DENY, policy('all', toDb)))).toEqual([
      'world>db 6/80-80 FORWARDED NetworkPolicy shop/all spec.ingress[0] anybody',
    ]);
    expect(listed(engineOf(policy('out', '{podSelector: {matchLabels: {app: web}}, egress: [{}]}')))).toEqual([
      'web>world 0/0-65535 FORWARDED NetworkPolicy shop/out spec.egress[0] anybody',
    ]);
  });

  test('addresses are the world’s, or those of pods that have them; exceptions are neither', () => {
    const blocks = (...cidrs: string[]) =>
      policy(
        'blocks',
        `{podSelector: {matchLabels: {app: db}}, ingress: [{from: [${cidrs.join()}], ports: [{port: 80}]}]}`,
      );
    const rule = 'FORWARDED NetworkPolicy shop/blocks spec.ingress[0]';
    expect(listed(engineOf(blocks('{ipBlock: {cidr: 192.0.2.0/24}}', '{ipBlock: {cidr: 198.51.100.0/24}}')))).toEqual([
      `world>db 6/80-80 ${rule} 192.0.2.0/24`,
      `world>db 6/80-80 ${rule} 198.51.100.0/24`,
    ]);
    expect(listed(engineOf(blocks('{ipBlock: {cidr: 10.1.0.0/24, except: [10.1.0.3/32, 10.1.0.4/32]}}')))).toEqual([
      `web>db 6/80-80 ${rule} 10.1.0.0/24`,
    ]);
    expect(listed(engineOf(blocks('{ipBlock: {cidr: 0.0.0.0/0, except: [0.0.0.0/1]}}')))).toEqual([
      `world>db 6/80-80 ${rule} 0.0.0.0/0`,
    ]);
    expect(listed(engineOf(blocks('{ipBlock: {cidr: "::/0"}}')))).toEqual([`world>db 6/80-80 ${rule} ::/0`]);
  });

  test('entities are the world and the other nodes', () => {
    const cilium = (entity: string) => `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: entity, namespace: shop}
spec: {endpointSelector: {matchLabels: {app: db}}, ingress: [{fromEntities: [${entity}]}]}
`;
    const rule = 'FORWARDED CiliumNetworkPolicy shop/entity spec.ingress[0]';
    expect(listed(engineOf(cilium('world')))).toEqual([`world>db 0/0-65535 ${rule}`]);
    expect(listed(engineOf(cilium('remote-node')))).toEqual([`nodes>db 0/0-65535 ${rule}`]);
    expect(listed(engineOf(cilium('all')))).toEqual([`world>db 0/0-65535 ${rule} anybody`]);
    expect(listed(engineOf(cilium('world-ipv4')))).toEqual([`world>db 0/0-65535 ${rule} 0.0.0.0/0`]);
  });

  test('is bounded', () => {
    const all = policy('all', '{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}');
    expect(listed(engineOf(all))).toHaveLength(6);
    expect(listed(engineOf(all), 2)).toHaveLength(3);
    expect(listed(engineOf(all), 2).at(-1)).toBe('more');
  });
});
