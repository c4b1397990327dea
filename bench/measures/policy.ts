import { parseAddress } from '#core/ip/address.ts';
import { assignCidrIdentities } from '#core/policy/cidr-identity.ts';
import { PolicyCompiler } from '#core/policy/compile.ts';
import type { Peer } from '#core/policy/connection-match.ts';
import { PolicyEngine } from '#core/policy/policy-engine.ts';
import type { Benchmark, Figure } from '../benchmark.ts';
import { cpuMilliseconds } from '../cpu-clock.ts';
import { pinToCore } from '../pin.ts';
import { policyCluster } from '../policy-cluster.ts';
import { Random } from '../random.ts';
import { median } from '../statistics.ts';

const IDENTITIES = 1_000;
const CONNECTIONS = 20_000;

export const policy: Benchmark = {
  name: 'policy',
  about: 'the policy engine: compiling everything anew, and deciding connections, on one core',
  needs: [],
  seconds: { full: 90, quick: 30 },
  async measure(context): Promise<Figure[]> {
    pinToCore(context.core);
    const { cluster, policies } = policyCluster(IDENTITIES);
    const identities = [...cluster.identities.keys()];
    const compile: number[] = [];
    let entries = 0;
    let largest = 0;
    for (let round = 0; round < (context.quick ? 5 : 15); round++) {
      const begun = cpuMilliseconds();
      // From policies as read: selectors, members, ranges and maps of everybody, nothing kept from the round before.
      const engine = new PolicyEngine(policies, cluster);
      const compiler = new PolicyCompiler(engine, assignCidrIdentities(engine.cidrs(), new Map()));
      entries = 0;
      for (const identity of identities) {
        const size = compiler.compile(identity).entries.length;
        entries += size;
        largest = Math.max(largest, size);
      }
      compile.push(cpuMilliseconds() - begun);
    }
    context.progress(`${entries} entries; deciding`);
    const engine = new PolicyEngine(policies, cluster);
    const evaluations = decide(engine, identities, context.quick ? 10 : 30);
    const size = `${policies.length} policies, ${identities.length} identities: ${entries} entries, the largest map ${largest}`;
    return [
      { name: 'compile', value: median(compile), unit: 'ms', goal: { atMost: 1_000 }, samples: compile, note: size },
      {
        name: 'evaluate',
        value: median(evaluations.rates),
        unit: 'decisions/s',
        goal: { atLeast: 1_000_000 },
        samples: evaluations.rates,
        note: `with the reason; ${evaluations.allowed.toFixed(1)} % allowed, pods and addresses outside as peers`,
      },
    ];
  },
};

function decide(
  engine: PolicyEngine,
  identities: readonly number[],
  rounds: number,
): { rates: number[]; allowed: number } {
  const random = new Random(7);
  const connections = Array.from({ length: CONNECTIONS }, () => {
    const subject = random.below(identities.length);
    // Mostly neighbours: the likes of which talk.
    const near = subject - (subject % 10) + random.below(10);
    const other = random.next() < 0.7 ? near : random.below(identities.length);
    const outside = random.next() < 0.2;
    const peer: Peer = {
      identity: outside ? 2 : identities[other]!,
      address: parseAddress(`${outside ? 198 : 10}.${random.below(50)}.${random.below(250)}.7`),
    };
    const port = [53, 80, 443, 8000 + (other % 10), 8000 + (subject % 10), 9090, 9050][random.below(7)]!;
    return {
      direction: random.next() < 0.5 ? ('ingress' as const) : ('egress' as const),
      identity: identities[subject]!,
      peer,
      port,
    };
  });
  const rates: number[] = [];
  let allowed = 0;
  for (let round = 0; round < rounds + 3; round++) {
    allowed = 0;
    const begun = cpuMilliseconds();
    for (const { direction, identity, peer, port } of connections) {
      if (engine.evaluate(direction, identity, peer, 6, port).allowed) allowed++;
    }
    // The first rounds are for the compiler, and for what the engine works out once.
    if (round >= 3) rates.push((CONNECTIONS * 1000) / (cpuMilliseconds() - begun));
  }
  return { rates, allowed: (100 * allowed) / CONNECTIONS };
}
