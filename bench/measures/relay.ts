import { LiveMap } from '#backend/live-map/live-map.ts';
import { createRelay } from '#backend/relay/relay.ts';
import type { Benchmark, Figure } from '../benchmark.ts';
import type { FakePeer } from '../fake-peers.ts';
import { pinToCore } from '../pin.ts';
import { startFakePeers } from '../start-fake-peers.ts';
import { median } from '../statistics.ts';

const PEERS = 20;
const PODS_PER_PEER = 50;
const ROWS_PER_BATCH = 250;
/** How often the backend closes a version of its maps. */
const TICK_MS = 200;
const MAX_ROUND_MS = 60_000;

export const relay: Benchmark = {
  name: 'relay',
  about:
    'flows per second of one core that the relay takes from its agents, merges, holds and counts into the live map',
  needs: [],
  seconds: { full: 90, quick: 40 },
  async measure(context): Promise<Figure[]> {
    const rounds = context.quick ? 3 : 9;
    const flowsPerPeer = context.quick ? 20_000 : 40_000;
    context.progress(`encoding ${(PEERS * flowsPerPeer).toLocaleString('en')} flows of ${PEERS} agents`);
    const peers = await startFakePeers(context, {
      peers: PEERS,
      podsPerPeer: PODS_PER_PEER,
      flowsPerPeer,
      rowsPerBatch: ROWS_PER_BATCH,
    });
    pinToCore(context.core);

    const rates: number[] = [];
    const wall: number[] = [];
    let size = '';
    // The first round is for the compiler.
    for (let round = 0; round <= rounds; round++) {
      const { seconds, cpuSeconds, cards, edges } = await takeEverything(peers, PEERS * flowsPerPeer);
      if (round > 0) {
        rates.push((PEERS * flowsPerPeer) / cpuSeconds);
        wall.push((PEERS * flowsPerPeer) / seconds);
      }
      size = `${cards} cards, ${edges} edges`;
    }
    return [
      {
        name: '',
        value: median(rates),
        unit: 'flows/s',
        goal: { atLeast: 200_000 },
        samples: rates,
        note: `${PEERS} agents over gRPC in batches of ${ROWS_PER_BATCH}, dictionaries of ${PEERS * PODS_PER_PEER} pods each; map of ${size}`,
      },
      {
        name: 'by the clock',
        value: median(wall),
        unit: 'flows/s',
        samples: wall,
        note: 'pinned to one core: the same if nobody else used it, less the time in which it waited for the agents',
      },
    ];
  },
};

/** From the first connection to the last flow in the window and the map. */
async function takeEverything(peers: readonly FakePeer[], flows: number) {
  const relay = createRelay();
  const map = new LiveMap({
    endpoints: relay.window.endpoints,
    observes: (cluster, node) => relay.observes(cluster, node),
  });
  let counted = 0;
  const begun = performance.now();
  const cpu = process.cpuUsage();
  const ticks = setInterval(() => map.tick(), TICK_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${counted} of ${flows} flows came within ${MAX_ROUND_MS / 1000} s`)),
        MAX_ROUND_MS,
      );
      relay.onRows((from, to) => {
        map.beginRows();
        for (let position = from; position < to; position++) {
          map.addRow(relay.window.columns, relay.window.slot(position));
        }
        counted += to - from;
        if (counted < flows) return;
        clearTimeout(timer);
        resolve();
      });
      relay.follow(peers);
    });
    const seconds = (performance.now() - begun) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    map.tick();
    const { cards, edges } = map.snapshot();
    return { seconds, cpuSeconds: (user + system) / 1e6, cards: cards.length, edges: edges.length };
  } finally {
    clearInterval(ticks);
    await relay.close();
  }
}
