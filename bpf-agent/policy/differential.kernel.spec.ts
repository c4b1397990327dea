import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatAddress } from '#core/ip/address.ts';
import { type GeneratedConnection, generatedCase } from '#core/policy/generated-case.ts';
import { PolicyEngine } from '#core/policy/policy-engine.ts';
import { reasonText } from '#core/policy/reason.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { icmp, PROTOCOL, sctp, tcp, udp } from '../bpf/packet-builder.ts';
import type { StoryRecord } from '../bpf/packet-story.ts';
import { PolicyStory } from './policy-story.ts';

/** Some 4.6 connections each: 20,000 in every run, a million in a soak. */
const CASES = Number(process.env.WAGGLE_DIFFERENTIAL_CASES ?? 4_400);
const SYN = 0x02;
const DROP = 6;

let story: PolicyStory;
let clientPort = 1024;

beforeAll(() => {
  buildBpf();
  story = new PolicyStory();
});

afterAll(() => story.close());

/** A connection's first packet; no two alike, so that none meets another's entry. */
function firstPacket(protocol: number, port: number): Uint8Array {
  clientPort = clientPort === 60_000 ? 1024 : clientPort + 1;
  switch (protocol) {
    case PROTOCOL.tcp:
      return tcp({ sourcePort: clientPort, destinationPort: port, flags: SYN });
    case PROTOCOL.udp:
      return udp(clientPort, port);
    case PROTOCOL.sctp:
      return sctp(clientPort, port, 1);
    case PROTOCOL.icmp:
    case PROTOCOL.icmpv6:
      return icmp(port, 0, clientPort);
    default:
      return new Uint8Array(8);
  }
}

/** An echo reply opens nothing, and protocols without ports have one connection per peer: their entry may be there already. */
function isNew({ protocol, port }: GeneratedConnection): boolean {
  return protocol !== 47 && !(protocol === PROTOCOL.icmp && port === 0);
}

it(
  'kernel and engine agree on every connection, verdict and reason, over random clusters and policies',
  () => {
    let [asked, denied, audited, byRule] = [0, 0, 0, 0];
    fc.assert(
      fc.property(generatedCase, ({ policies, cluster, connections }) => {
        // What a failed run left must not be taken for this one's.
        story.records();
        const engine = new PolicyEngine(policies, cluster);
        const bySubject = Map.groupBy(connections.filter(isNew), ({ subject }) => subject);
        for (const [subject, own] of bySubject) {
          const enforced = story.enforce(engine, subject);
          for (const { direction, peer, protocol, port } of own) {
            story.know(peer);
            const address = formatAddress(peer.address!);
            const packet = firstPacket(protocol, port);
            const passed =
              direction === 'egress'
                ? story.sends(address, protocol, packet)
                : story.receives(address, protocol, packet);
            const decision = engine.evaluate(direction, subject, peer, protocol, port);
            expect(passed).toBe(decision.allowed);
            const [record] = story.records();
            if (record !== undefined) expectSameReason(record, decision, enforced[direction]);
            else expect(passed).toBe(false); // told up to a rate
            asked++;
            if (!passed) denied++;
            if (decision.audit !== undefined) audited++;
            if (decision.reason.kind === 'rule') byRule++;
          }
        }
      }),
      { numRuns: CASES },
    );
    if (CASES > 4_400) console.log(`${asked} connections: ${denied} denied, ${audited} audited, ${byRule} by a rule`);
    expect(asked).toBeGreaterThan(CASES * 4.5);
    for (const seen of [denied, audited, byRule]) expect(seen).toBeGreaterThan(CASES / 20);
  },
  600_000 + CASES * 100,
);

/** @param enforced something may be denied in this direction; where nothing may, no rule is looked for */
function expectSameReason(
  record: StoryRecord,
  decision: ReturnType<PolicyEngine['evaluate']>,
  enforced: boolean,
): void {
  expect(record.trigger === DROP).toBe(!decision.allowed);
  if (enforced) expect(story.reason(record.ruleId)).toBe(reasonText(decision.reason));
  else expect([record.ruleId, decision.allowed]).toEqual([0, true]);
  expect(record.auditRuleId === 0 ? undefined : story.reason(record.auditRuleId)).toBe(
    decision.audit && reasonText(decision.audit),
  );
  if (!decision.allowed) expect(record.dropReason).toBe(decision.reason.kind === 'deny-rule' ? 181 : 133);
  expect(record.verdict).toBe(!decision.allowed ? 2 : decision.audit === undefined ? 1 : 4);
}
