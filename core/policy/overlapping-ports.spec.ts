import { expect, it } from 'vitest';
import { DIRECTION } from '../flow/direction.ts';
import { PolicyCompiler } from './compile.ts';
import { PolicyEngine } from './policy-engine.ts';
import { PolicyMap, VERDICT_OF_ENTRY } from './policy-map.ts';
import { reasonText } from './reason.ts';
import { specCluster, specPolicies } from './spec-cluster.ts';

const TCP = 6;
/** Nested, shifted, touching, equal and single ports: every start with several ends. */
const RANGES = Array.from({ length: 600 }, (_, index) => {
  const port = 1 + ((index * 7919) % 65_000);
  return { port, endPort: Math.min(65_535, port + ((index * index) % 3000)) };
});

it('hundreds of ranges of ports that lie over each other are few entries, and each port has its first rule', () => {
  const cluster = specCluster({ web: { namespace: 'shop', labels: { app: 'web' }, address: '10.0.0.1' } });
  // A rule for each, so that it shows which one was found; deny rules between them.
  const rules = (list: string, ranges: typeof RANGES) =>
    `  ${list}:\n${ranges
      .map(({ port, endPort }) => `    - toPorts: [{ports: [{port: "${port}", endPort: ${endPort}, protocol: TCP}]}]`)
      .join('\n')}`;
  const denied = RANGES.filter((_, index) => index % 50 === 7);
  const text = `
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: ports, namespace: shop }
spec:
  endpointSelector: {}
${rules('ingress', RANGES)}
${rules('ingressDeny', denied)}
`;
  const engine = new PolicyEngine(specPolicies(text), cluster);
  const web = cluster.identityOf.web!;
  const before = performance.now();
  const compiled = new PolicyCompiler(engine, new Map()).compile(web);
  const took = performance.now() - before;
  // A range is at most 30 prefixes; what lies under an earlier rule needs none.
  expect(compiled.entries.length).toBeLessThan(30 * (RANGES.length + denied.length));
  expect(took).toBeLessThan(5_000);
  const map = new PolicyMap(compiled);
  const peer = cluster.peer('192.0.2.1');
  const edges = RANGES.flatMap(({ port, endPort }) => [port - 1, port, endPort, endPort + 1]);
  for (const port of new Set(edges.filter((edge) => edge >= 0 && edge <= 65_535))) {
    const decision = engine.evaluate('ingress', web, peer, TCP, port);
    const packet = {
      direction: DIRECTION.INGRESS,
      identity: peer.identity,
      cidrIdentity: 0,
      protocol: TCP,
      port,
    };
    const entry = map.decide(packet);
    expect([port, entry.verdict === VERDICT_OF_ENTRY.allow, reasonText(entry.reason)]).toEqual([
      port,
      decision.allowed,
      reasonText(decision.reason),
    ]);
  }
});
