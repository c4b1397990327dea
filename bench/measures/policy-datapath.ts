import { openDatapath } from '#bpf-agent/loader/datapath.ts';
import { runPacket } from '#bpf-agent/loader/prog-test-run.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import type { Benchmark, BenchmarkContext, Figure } from '../benchmark.ts';
import { pinToCore } from '../pin.ts';
import { allowing, PolicedEndpoints } from '../policed-endpoint.ts';
import { alternate, median } from '../statistics.ts';
import { measurePoliced } from '../tcp-exchange.ts';
import { TCP_ACK, TCP_RST, TCP_SYN, tcpPacket } from '../tcp-packet.ts';

const LOOPBACK = 1;
const CLIENT = '10.64.0.2';
const SERVER = '10.64.0.3';
const PORT = 8080;

export const policyDatapath: Benchmark = {
  name: 'policy-datapath',
  about: 'network policy in the datapath over none, and 1,000 rules over 10',
  needs: ['bpf', 'clang'],
  seconds: { full: 150, quick: 60 },
  async measure(context): Promise<Figure[]> {
    return [
      await measurePoliced(context, 'rr', 0.98),
      await measurePoliced(context, 'crr', 0.97),
      ...(await measureRules(context)),
    ];
  },
};

/** A packet's cost at an endpoint with 1,000 rules over one with 10, the matching rule among them. */
async function measureRules(context: BenchmarkContext): Promise<Figure[]> {
  const rounds = context.quick ? 15 : 51;
  const repeat = context.quick ? 20_000 : 50_000;
  pinToCore(context.core);
  const datapath = openDatapath({ objectPath: buildBpf(context.progress) });
  context.cleanUp(() => datapath.close());
  const others = Array.from({ length: 999 }, (_, index) => `peer-${index}`);
  const pods = [
    { name: 'server', address: SERVER, interfaceIndex: LOOPBACK },
    { name: 'client', address: CLIENT, interfaceIndex: LOOPBACK + 1_000_000 },
  ];
  const policed = new PolicedEndpoints(datapath, pods, others);
  const own = { peer: 'client', port: PORT };
  const rules = (count: number) => {
    const rest = others.slice(0, count - 1).map((peer, index) => ({ peer, port: 1024 + index }));
    return [allowing('server', 'ingress', [...rest, own])];
  };
  const program = datapath.programFd('to_endpoint');
  const packet = (flags: number, sourcePort: number) =>
    tcpPacket({ source: CLIENT, destination: SERVER, sourcePort, destinationPort: PORT, flags, payloadBytes: 100 });
  const established = packet(TCP_ACK, 40_000);
  // Given again, it is a new connection each time: judged anew.
  const opening = packet(TCP_SYN | TCP_RST, 40_001);
  policed.enforce(rules(10));
  runPacket(program, { packet: packet(TCP_SYN, 40_000) });
  // One datapath for both: two would lie in different memory, which shows.
  const cost = (count: number, bytes: Uint8Array) => {
    policed.enforce(rules(count));
    const { returned, nanoseconds } = runPacket(program, { packet: bytes, repeat });
    datapath.ring.drain(() => {});
    if (returned === 2) throw new Error('the policy dropped what it allows');
    return nanoseconds;
  };
  const sides = (bytes: Uint8Array) => ({ base: () => cost(10, bytes), changed: () => cost(1_000, bytes) });
  const perPacket = await alternate(rounds, sides(established));
  const perOpening = await alternate(rounds, sides(opening));
  return [
    {
      name: '1,000 rules over 10, per packet',
      value: median(perPacket.ratios),
      unit: '×',
      goal: { atMost: 1.05 },
      samples: perPacket.ratios,
      note: `${median(perPacket.base).toFixed(0)} and ${median(perPacket.changed).toFixed(0)} ns: a segment of a known connection`,
    },
    {
      name: '1,000 rules over 10, per connection',
      value: median(perOpening.ratios),
      unit: '×',
      samples: perOpening.ratios,
      note: `${median(perOpening.base).toFixed(0)} and ${median(perOpening.changed).toFixed(0)} ns: judged, entry made, record written`,
    },
  ];
}
