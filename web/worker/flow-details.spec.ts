import { describe, expect, it } from 'vitest';
import { NO_DECISION } from '#core/flow/policy-decision.ts';
import { flowDetails } from './flow-details.ts';
import { PageWindow } from './page-window.ts';
import { DB, pushFlows, type SampleFlow, WEB, WORLD } from './testing/sample-flows.ts';

function detailsOf(flow: SampleFlow, prepare: (window: PageWindow) => SampleFlow = () => ({})) {
  const window = new PageWindow(4);
  pushFlows(window, { ...flow, ...prepare(window) });
  const details = flowDetails(window, 0);
  const fact = (section: string, name: string) =>
    details.facts.find((each) => each.section === section && each.name === name);
  return { details, fact };
}

describe('the details of a flow', () => {
  it('hold every field with the filters that ask for its like', () => {
    const { fact } = detailsOf({
      timeSeconds: 1_700_558_816,
      timeNanos: 123_456_789,
      rttMicros: 84,
      bytesReply: 12_345,
    });
    expect(fact('flow', 'Time')).toMatchObject({ text: '2023-11-21 09:26:56.123456789 UTC', tokens: [] });
    expect(fact('flow', 'Verdict')).toMatchObject({ text: 'forwarded', tokens: ['verdict=forwarded'] });
    expect(fact('flow', 'TCP flags')).toMatchObject({ text: 'SYN', tokens: ['tcp-flag=syn'] });
    expect(fact('flow', 'Direction')).toMatchObject({ text: 'egress', tokens: ['direction=egress'] });
    expect(fact('flow', 'Node')).toMatchObject({ text: 'kind/node-1', tokens: ['node=kind/node-1'] });
    expect(fact('source', 'Pod')).toMatchObject({
      text: 'web-5f7c-7',
      tokens: ['pod=shop/web-5f7c-7', 'from:pod=shop/web-5f7c-7'],
    });
    expect(fact('source', 'Label')).toMatchObject({ tokens: ['label k8s:app=web', 'from:label k8s:app=web'] });
    expect(fact('destination', 'Workload')).toMatchObject({
      text: 'Deployment maindb',
      tokens: ['workload=data/Deployment/maindb', 'to:workload=data/Deployment/maindb'],
    });
    expect(fact('destination', 'Port')).toMatchObject({ text: '3306', tokens: ['port=3306', 'to:port=3306'] });
    expect(fact('traffic', 'Back')?.text).toBe('0 packets, 12 kB (12,345 B)');
    expect(fact('traffic', 'Round trip')?.text).toBe('84 µs');
  });

  it('of a reply name the ends of the connection, and filter by those of the packet', () => {
    const { fact, details } = detailsOf({
      source: DB,
      destination: WEB,
      sourcePort: 3306,
      destinationPort: 41_000,
      reply: 1,
    });
    expect(details.row).toMatchObject({ source: { name: 'web' }, destination: { name: 'maindb' }, port: 3306 });
    expect(fact('source', 'Workload')?.tokens[1]).toBe('to:workload=shop/Deployment/web');
    expect(fact('destination', 'Port')?.tokens).toEqual(['port=3306', 'from:port=3306']);
  });

  it('of a drop tell the reason and the policies', () => {
    const rule = { kind: 'NetworkPolicy', namespace: 'data', name: 'only-api', rule: -1 };
    const { fact, details } = detailsOf({ verdict: 2, dropReason: 133, trigger: 6 }, (window) => ({
      policy: window.decisions.intern({ ...NO_DECISION, direction: 1, deniedBy: [rule], defaultDeny: true }),
    }));
    expect(fact('flow', 'Drop reason')).toMatchObject({ text: 'Policy denied', tokens: ['reason=policy-denied'] });
    expect(fact('flow', 'Closed by')).toMatchObject({
      text: 'NetworkPolicy data/only-api',
      tokens: ['policy=data/only-api'],
      policy: { key: 'NetworkPolicy/data/only-api', rule: '' },
    });
    expect(details.row).toMatchObject({ policy: 'data/only-api', info: 'Policy denied · data/only-api' });
    expect(JSON.parse(details.json).flow).toMatchObject({
      drop_reason_desc: 'POLICY_DENIED',
      ingress_denied_by: [{ name: 'only-api', namespace: 'data', kind: 'NetworkPolicy' }],
    });
  });

  it('tell what would be, apart from what is', () => {
    const allow = { kind: 'NetworkPolicy', namespace: 'data', name: 'api', rule: 1, path: 'spec.ingress[1]' };
    const deny = { kind: 'CiliumClusterwideNetworkPolicy', namespace: '', name: 'lock', rule: -1 };
    const { fact } = detailsOf({ verdict: 4 }, (window) => ({
      policy: window.decisions.intern({
        ...{ ...NO_DECISION, direction: 1, allowedBy: [allow], auditDeniedBy: [deny], auditDefaultDeny: true },
      }),
    }));
    expect(fact('flow', 'Allowed by')).toMatchObject({
      text: 'NetworkPolicy data/api spec.ingress[1]',
      policy: { key: 'NetworkPolicy/data/api', rule: 'spec.ingress[1]' },
    });
    expect(fact('flow', 'Would close')).toMatchObject({
      text: 'CiliumClusterwideNetworkPolicy lock',
      policy: { key: 'CiliumClusterwideNetworkPolicy//lock', rule: '' },
    });
  });

  it('leave out what there is not', () => {
    const { fact, details } = detailsOf({ destination: WORLD, protocol: 1, sourcePort: 8, destinationPort: 0 });
    expect(fact('flow', 'ICMP')?.text).toBe('EchoRequest');
    expect(fact('destination', 'Identity')).toMatchObject({
      text: 'world',
      tokens: ['identity=world', 'to:identity=world'],
    });
    for (const [section, name] of [
      ['destination', 'Pod'],
      ['destination', 'Port'],
      ['flow', 'TCP flags'],
      ['flow', 'Drop reason'],
    ]) {
      expect(fact(section, name)).toBeUndefined();
    }
    expect(details.facts.every(({ text }) => text !== '')).toBe(true);
  });
});
