import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIRECTION } from '../flow/direction.ts';
import { RESERVED_IDENTITY } from '../identity/reserved.ts';
import { parseAddress } from '../ip/address.ts';
import { assignCidrIdentities, cidrIdentityOf } from './cidr-identity.ts';
import { PolicyCompiler } from './compile.ts';
import type { Decision } from './evaluate.ts';
import { generatedCase } from './generated-case.ts';
import { PolicyEngine } from './policy-engine.ts';
import { PolicyMap, VERDICT_OF_ENTRY } from './policy-map.ts';
import { reasonText } from './reason.ts';

const VERDICTS: Readonly<Record<number, string>> = {
  [VERDICT_OF_ENTRY.allow]: 'allow',
  [VERDICT_OF_ENTRY.deny]: 'deny',
  [VERDICT_OF_ENTRY.audit]: 'audit',
};

function told({ allowed, reason, audit }: Decision): string {
  return `${allowed ? (audit ? 'audit' : 'allow') : 'deny'}: ${reasonText(audit ?? reason)}`;
}

describe('the compiled map, looked up as the datapath does', () => {
  it('says of every connection what the engine says, with the same reason', () => {
    let [denied, audited, byRule] = [0, 0, 0];
    fc.assert(
      fc.property(generatedCase, ({ policies, cluster, connections }) => {
        const engine = new PolicyEngine(policies, cluster);
        const cidrs = assignCidrIdentities(engine.cidrs(), new Map());
        const compiler = new PolicyCompiler(engine, cidrs);
        const maps = new Map(
          [...cluster.identities.keys()].map((number) => {
            const compiled = compiler.compile(number);
            return [number, { map: new PolicyMap(compiled), compiled }];
          }),
        );
        for (const { direction, subject, peer, protocol, port } of connections) {
          const { map, compiled } = maps.get(subject)!;
          const decision = engine.evaluate(direction, subject, peer, protocol, port);
          const entry = map.decide({
            direction: direction === 'ingress' ? DIRECTION.INGRESS : DIRECTION.EGRESS,
            identity: peer.identity,
            cidrIdentity: cidrIdentityOf(cidrs, peer.address!),
            protocol,
            port,
          });
          expect(`${VERDICTS[entry.verdict]}: ${reasonText(entry.reason)}`).toBe(told(decision));
          if (!compiled.enforces[direction]) expect(decision.allowed).toBe(true);
          if (!compiled.audits[direction]) expect(decision.audit).toBeUndefined();
          if (!decision.allowed) denied++;
          if (decision.audit !== undefined) audited++;
          if (decision.reason.kind === 'rule') byRule++;
        }
      }),
      { numRuns: 1000 },
    );
    // A test that only ever sees one answer would prove nothing.
    for (const seen of [denied, audited, byRule]) expect(seen).toBeGreaterThan(100);
  });

  it('says the same with ranges in the table that no rule names', () => {
    fc.assert(
      fc.property(generatedCase, fc.array(fc.ipV4(), { maxLength: 4 }), ({ policies, cluster, connections }, more) => {
        const engine = new PolicyEngine(policies, cluster);
        const own = assignCidrIdentities(engine.cidrs(), new Map());
        const ranges = new Map(engine.cidrs());
        for (const address of more) {
          for (const length of [8, 20, 32]) {
            const bytes = parseAddress(address);
            ranges.set(`${address}/${length}`, { text: `${address}/${length}`, bytes: masked(bytes, length), length });
          }
        }
        const wide = assignCidrIdentities(ranges, own);
        const [a, b] = [new PolicyCompiler(engine, own), new PolicyCompiler(engine, wide)];
        for (const { direction, subject, peer, protocol, port } of connections) {
          const packet = {
            direction: direction === 'ingress' ? DIRECTION.INGRESS : DIRECTION.EGRESS,
            identity: peer.identity,
            protocol,
            port,
          };
          const here = new PolicyMap(a.compile(subject)).decide({
            ...packet,
            cidrIdentity: cidrIdentityOf(own, peer.address!),
          });
          const there = new PolicyMap(b.compile(subject)).decide({
            ...packet,
            cidrIdentity: cidrIdentityOf(wide, peer.address!),
          });
          expect(reasonText(there.reason)).toBe(reasonText(here.reason));
          expect(there.verdict).toBe(here.verdict);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('after a change of policies', () => {
  it('what an engine says to have said before, it compiles as before', () => {
    let [same, other] = [0, 0];
    fc.assert(
      fc.property(generatedCase, fc.nat(), ({ policies, cluster }, pick) => {
        const before = new PolicyEngine(policies, cluster);
        const left = policies.filter((_, index) => index !== pick % policies.length);
        const after = new PolicyEngine(left, cluster, before);
        expect(after.index).toBe(before.index);
        const cidrs = assignCidrIdentities(before.cidrs(), new Map());
        const [one, two] = [before, after].map((engine) => new PolicyCompiler(engine, cidrs));
        for (const identity of cluster.identities.keys()) {
          if (after.saysTheSame(identity, before)) {
            expect(two!.compile(identity)).toEqual(one!.compile(identity));
            same++;
          } else other++;
        }
        // Over another picture nothing is known to be the same.
        const elsewhere = new PolicyEngine(policies, { ...cluster }, before);
        for (const identity of cluster.identities.keys()) expect(elsewhere.saysTheSame(identity, before)).toBe(false);
      }),
      { numRuns: 300 },
    );
    expect(Math.min(same, other)).toBeGreaterThan(50);
  });
});

describe('compiling', () => {
  it('leaves who is no pod open, and has nothing for an identity that nobody has', () => {
    const compiler = new PolicyCompiler(new PolicyEngine([], fc.sample(generatedCase, 1)[0]!.cluster), new Map());
    const host = compiler.compile(RESERVED_IDENTITY.host);
    expect(host.entries.map(({ reason }) => reason.kind)).toEqual(['no-policy', 'no-policy']);
    expect(host.enforces).toEqual({ ingress: false, egress: false });
    // No fallback either: what is looked up in it finds nothing, and the datapath stays closed.
    expect(compiler.compile(0x4fff_ffff).entries).toEqual([]);
  });
});

function masked(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.map((byte, index) => byte & (0xff << Math.min(8, Math.max(0, 8 * (index + 1) - length))));
}
