import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileFilter } from '#core/filter/compile-filter.ts';
import { parseFilter } from '#core/filter/parse-filter.ts';
import { FlowSchema, L7FlowType } from '#proto/gen/flow/flow_pb.ts';
import { Observer } from '#proto/gen/observer/observer_pb.ts';
import { ViewService } from '#proto/gen/waggle/v1/view_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { type FlowInit, requestFlow, type ToldPod } from '#runtime/testing/fake-hubble.ts';
import { BehindHubble } from '../testing/behind-hubble.ts';
import { AskedNames } from './asked-names.ts';

// Hubble's proxy reads DNS answers; what connects to the addresses in them is told without names by who has not seen the query.

const WEB = { namespace: 'shop', name: 'web', address: '10.0.0.1' };
const PAYROLL = { namespace: 'payroll', name: 'runner', address: '10.0.0.3' };
const DNS = { namespace: 'kube-system', name: 'coredns', address: '10.0.0.53' };
const BANK = '198.51.100.7';

const answer = (to: ToldPod, query: string, ips: string[], more: object = {}): FlowInit =>
  requestFlow(
    { client: to, server: DNS, port: 53, direction: 2, udp: true },
    {
      type: L7FlowType.RESPONSE,
      record: {
        case: 'dns',
        value: { query, ips, ttl: 30, qtypes: ['A'], observationSource: 'proxy', ...more },
      },
    },
  );
const connects = (from: ToldPod, to: string, more: FlowInit = {}): FlowInit => ({
  verdict: 1,
  Type: 1,
  IP: { source: from.address, destination: to, ipVersion: 1 },
  l4: { protocol: { case: 'TCP', value: { sourcePort: 41_000, destinationPort: 443, flags: { SYN: true } } } },
  source: { namespace: from.namespace, podName: `${from.name}-1`, clusterName: 'kind', identity: 1_003 },
  destination: { identity: 2, labels: ['reserved:world'] },
  eventType: { type: 4, subType: 3 },
  traceObservationPoint: 3,
  trafficDirection: 2,
  isReply: false,
  ...more,
});

describe('what pods asked for', () => {
  const told = (names: AskedNames, flow: FlowInit) => names.named(create(FlowSchema, flow), 0).destinationNames;

  it('names addresses for the pods of their namespace, and for nobody else', () => {
    const names = new AskedNames();
    names.named(create(FlowSchema, answer(WEB, 'Bank.example.', [BANK, '2001:db8::7'])), 0);
    expect(told(names, connects(WEB, BANK))).toEqual(['bank.example']);
    expect(told(names, connects({ ...WEB, name: 'cart' }, '2001:db8::7'))).toEqual(['bank.example']);
    expect(told(names, connects(PAYROLL, BANK))).toEqual([]);
    expect(told(names, connects(WEB, '198.51.100.8'))).toEqual([]);
  });

  it('does not go before what Hubble says, and names nobody of the cluster', () => {
    const names = new AskedNames();
    names.named(create(FlowSchema, answer(WEB, 'bank.example.', [BANK])), 0);
    expect(told(names, connects(WEB, BANK, { destinationNames: ['told.example'] }))).toEqual(['told.example']);
    expect(told(names, connects(WEB, BANK, { destination: { identity: 1_500, namespace: 'x' } }))).toEqual([]);
  });

  it('is not learnt from failures, from questions, or where it is no name of a host', () => {
    const names = new AskedNames();
    names.named(create(FlowSchema, answer(WEB, 'bank.example.', [BANK], { rcode: 2 })), 0);
    names.named(create(FlowSchema, answer(WEB, 'b<script>.example.', [BANK])), 0);
    const question = answer(WEB, 'bank.example.', [BANK]);
    names.named(create(FlowSchema, { ...question, l7: { ...question.l7, type: L7FlowType.REQUEST } }), 0);
    expect(told(names, connects(WEB, BANK))).toEqual([]);
  });

  it('is forgotten in time', () => {
    const names = new AskedNames();
    names.named(create(FlowSchema, answer(WEB, 'bank.example.', [BANK])), 0);
    const late = names.named(create(FlowSchema, connects(WEB, BANK)), 3_600_000 + 31_000);
    expect(late.destinationNames).toEqual([]);
  });
});

describe('a backend in front of Hubble', () => {
  const behind = new BehindHubble();
  beforeAll(() => behind.start(answer(WEB, 'bank.example.', [BANK]), connects(WEB, BANK), connects(PAYROLL, BANK)));
  afterAll(() => behind.stop());

  it('tells the name to Hubble’s clients, to filters and on the map', async () => {
    const { backend } = behind;
    const observer = createClient(Observer, backend.relayAddress);
    const found: string[] = [];
    for await (const { responseTypes } of observer.getFlows({
      number: 10n,
      whitelist: [{ destinationFqdn: ['*.example'] }],
    })) {
      if (responseTypes.case === 'flow') found.push(responseTypes.value.source!.namespace);
    }
    observer.close();
    expect(found).toEqual(['shop']);
    const { window } = backend.relay;
    const passes = compileFilter(parseFilter(['to:dns=bank.example']).filter, window);
    expect([0, 1, 2].filter((row) => passes(window.columns, row))).toEqual([1]);
    const view = createClient(ViewService, backend.relayAddress);
    const ended = new AbortController();
    const cards = new Set<string>();
    for await (const { map } of view.watch({ map: true }, { signal: ended.signal })) {
      for (const { name } of map?.cards ?? []) cards.add(name);
      if (cards.has('bank.example') && cards.has('world')) break;
    }
    ended.abort();
    view.close();
    expect(cards).toContain('bank.example');
  });
});
