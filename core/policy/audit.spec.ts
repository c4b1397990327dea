import { describe, expect, it, test } from 'vitest';
import { stringify } from 'yaml';
import { evaluateConnection, type Party } from './connection.ts';
import { asksForAudit } from './enforcement.ts';
import { explain, explanationText } from './explain.ts';
import { PolicyEngine } from './policy-engine.ts';
import { reasonText } from './reason.ts';
import { type SpecCluster, specCluster, specPolicies } from './spec-cluster.ts';

const TCP = 6;

function cluster(options: { auditedNamespaces?: readonly string[]; audit?: boolean } = {}): SpecCluster {
  return specCluster(
    {
      web: { namespace: 'red', labels: { app: 'web' }, address: '10.1.0.1' },
      db: { namespace: 'red', labels: { app: 'db' }, address: '10.1.0.2' },
      api: { namespace: 'blue', labels: { app: 'api' }, address: '10.1.1.1' },
    },
    options,
  );
}

function policy(name: string, spec: object, enforcement?: string, kind = 'NetworkPolicy', namespace = 'red'): string {
  const annotations = enforcement === undefined ? {} : { 'waggle.dev/enforcement': enforcement };
  const network = kind === 'NetworkPolicy';
  return stringify({
    apiVersion: network ? 'networking.k8s.io/v1' : 'cilium.io/v2',
    kind,
    metadata: { name, annotations, ...(kind === 'CiliumClusterwideNetworkPolicy' ? {} : { namespace }) },
    spec,
  });
}

const CLOSED = { podSelector: {} };
const FROM_WEB = { podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }] }] };

/** What becomes of name → db, and why. */
function told(engine: PolicyEngine, picture: SpecCluster, name: string): string {
  const { allowed, reason, audit } = engine.evaluate('ingress', picture.identityOf.db!, picture.peer(name), TCP, 80);
  const verdict = allowed ? (audit === undefined ? 'forwarded' : 'audit') : 'dropped';
  return `${verdict}: ${reasonText(audit ?? reason)}`;
}

function engineOf(picture: SpecCluster, ...texts: string[]): PolicyEngine {
  return new PolicyEngine(
    texts.flatMap((text) => specPolicies(text)),
    picture,
  );
}

describe('an audited policy', () => {
  it('lets through what it would drop, and says so', () => {
    const picture = cluster();
    const engine = engineOf(picture, policy('closed', CLOSED, 'audit'));
    expect(told(engine, picture, 'web')).toBe('audit: no rule allows it; closed by NetworkPolicy red/closed');
  });

  it('reports nothing of what it allows', () => {
    const picture = cluster();
    const engine = engineOf(picture, policy('from-web', FROM_WEB, 'audit'));
    expect(told(engine, picture, 'web')).toBe('forwarded: no policy selects the pod in this direction');
    expect(told(engine, picture, 'api')).toMatch(/^audit: .*red\/from-web/);
  });

  it('opens nothing that an enforced policy closes', () => {
    const picture = cluster();
    const engine = engineOf(picture, policy('closed', CLOSED), policy('from-web', FROM_WEB, 'audit'));
    expect(told(engine, picture, 'web')).toBe('dropped: no rule allows it; closed by NetworkPolicy red/closed');
  });

  it('is weighed together with the enforced ones: what these allow would still go through', () => {
    const picture = cluster();
    const engine = engineOf(picture, policy('closed', CLOSED, 'audit'), policy('from-web', FROM_WEB));
    expect(told(engine, picture, 'web')).toBe('forwarded: allowed by NetworkPolicy red/from-web spec.ingress[0]');
    expect(told(engine, picture, 'api')).toMatch(/^dropped: .*closed by NetworkPolicy red\/from-web$/);
  });

  it('with a deny rule would drop what an enforced policy allows', () => {
    const picture = cluster();
    const deny = { endpointSelector: {}, ingressDeny: [{ fromEndpoints: [{}] }] };
    const engine = engineOf(
      picture,
      policy('from-web', FROM_WEB),
      policy('deny', deny, 'audit', 'CiliumNetworkPolicy'),
    );
    expect(told(engine, picture, 'web')).toBe('audit: denied by CiliumNetworkPolicy red/deny spec.ingressDeny[0]');
  });

  test.each([
    ['enforce', 'dropped'],
    ['Audit', 'dropped'],
    ['off', 'dropped'],
    [undefined, 'dropped'],
  ])('annotated %s is enforced', (word, expected) => {
    const picture = cluster();
    expect(told(engineOf(picture, policy('closed', CLOSED, word)), picture, 'web')).toMatch(`${expected}: `);
  });
});

describe('an audited namespace', () => {
  it('has nothing enforced on its pods, by clusterwide policies neither', () => {
    const picture = cluster({ auditedNamespaces: ['red'] });
    const wide = policy('wide', { endpointSelector: {}, ingress: [{}] }, undefined, 'CiliumClusterwideNetworkPolicy');
    const engine = engineOf(picture, wide);
    expect(told(engine, picture, 'web')).toMatch(/^audit: .*CiliumClusterwideNetworkPolicy wide$/);
    const api = engine.evaluate('ingress', picture.identityOf.api!, picture.peer('web'), TCP, 80);
    expect(api.allowed).toBe(false);
  });

  it('is one whose annotation says exactly that', () => {
    expect(asksForAudit({ 'waggle.dev/enforcement': 'audit' })).toBe(true);
    expect(asksForAudit({ 'waggle.dev/enforcement': 'enforce' })).toBe(false);
    expect(asksForAudit(Object.create({ 'waggle.dev/enforcement': 'audit' }))).toBe(false);
    expect(asksForAudit({})).toBe(false);
  });
});

it('the global switch audits everything', () => {
  const picture = cluster({ audit: true });
  expect(told(engineOf(picture, policy('closed', CLOSED, 'enforce')), picture, 'web')).toMatch(/^audit: /);
});

describe('a connection', () => {
  const picture = cluster();
  const party = (name: string, node = 'node-1'): Party => ({ ...picture.peer(name), node });
  const connection = (source: Party, destination: Party) => ({ source, destination, protocol: TCP, port: 80 });
  const closed = policy('closed', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });

  it('needs both ends: egress of its source and ingress of its destination', () => {
    const engine = engineOf(picture, closed);
    const out = evaluateConnection(engine, connection(party('web'), party('api')));
    expect(out.verdict).toBe('DROPPED');
    expect([out.egress?.allowed, out.ingress?.allowed]).toEqual([false, true]);
    const into = evaluateConnection(engine, connection(party('api'), party('db')));
    expect([into.egress?.allowed, into.ingress?.allowed]).toEqual([true, false]);
  });

  it('is audited where either end would drop it', () => {
    const engine = engineOf(picture, policy('closed', CLOSED, 'audit'));
    expect(evaluateConnection(engine, connection(party('api'), party('db'))).verdict).toBe('AUDIT');
    expect(evaluateConnection(engine, connection(party('db'), party('api'))).verdict).toBe('FORWARDED');
  });

  it('of a pod to itself is always allowed', () => {
    const { verdict, egress } = evaluateConnection(engineOf(picture, closed), connection(party('db'), party('db')));
    expect(verdict).toBe('FORWARDED');
    expect(egress?.reason.kind).toBe('itself');
  });

  it('of a node is its own to the pods it runs, a stranger’s to others', () => {
    const engine = engineOf(picture, closed);
    expect(evaluateConnection(engine, connection(party('host', 'node-1'), party('db', 'node-1'))).verdict).toBe(
      'FORWARDED',
    );
    expect(evaluateConnection(engine, connection(party('host', 'node-2'), party('db', 'node-1'))).verdict).toBe(
      'DROPPED',
    );
    expect(evaluateConnection(engine, connection(party('db'), party('remote-node', 'node-1'))).verdict).toBe(
      'FORWARDED',
    );
  });

  it('between ends that are no pods is nobody’s to judge', () => {
    const decision = evaluateConnection(engineOf(picture, closed), connection(party('host'), party('192.0.2.1', '')));
    expect(decision).toEqual({ verdict: 'FORWARDED', egress: undefined, ingress: undefined });
  });

  it('is explained by every policy at either end, rule by rule', () => {
    const ports = {
      podSelector: {},
      ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 81 }] }, { ports: [{ port: 80 }] }],
    };
    const engine = engineOf(picture, closed, policy('ports', ports), policy('watch', FROM_WEB, 'audit'));
    const text = explanationText(explain(engine, connection(party('web'), party('db'))));
    expect(text).toMatchInlineSnapshot(`
      "egress denied: no rule allows it; closed by NetworkPolicy red/closed
        NetworkPolicy red/closed
          no rules
      ingress allowed: NetworkPolicy red/ports spec.ingress[1]
        NetworkPolicy red/closed
          no rules
        NetworkPolicy red/ports
             -    spec.ingress[0]: from any pod of namespace red, on TCP 81 [another port] (spec.yaml:10)
          allows  spec.ingress[1]: from anybody, on TCP 80 (spec.yaml:14)
        NetworkPolicy red/watch (audited)
          allows  spec.ingress[0]: from app=web of namespace red, on any port (spec.yaml:11)"
    `);
  });
});
