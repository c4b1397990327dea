import { afterEach, describe, expect, it, vi } from 'vitest';
import { LossSource, NodeState } from '#proto/gen/waggle/v1/flow_pb.ts';
import { InProcessAgent } from '#runtime/testing/in-process-agent.ts';
import { SampleStream, WEB } from '#runtime/testing/sample-flows.ts';
import { createRelay, type Relay, type RelayOptions } from './relay.ts';

const open: { close?(): Promise<void>; stop?(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await (each.close ?? each.stop)?.call(each);
});

async function agent(name: string): Promise<InProcessAgent> {
  const made = new InProcessAgent(name);
  await made.start();
  open.push(made);
  return made;
}

function relay(options: RelayOptions = {}): Relay {
  const made = createRelay({ window: 10_000, backoff: { firstMs: 20, mostMs: 100 }, ...options });
  open.push(made);
  return made;
}

const rows = ({ window: { columns, start, end, nodes } }: Relay) =>
  Array.from({ length: end - start }, (_, row) => `${nodes[columns.node[row]].node}#${columns.sequence[row]}`);
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 30_000, interval: 10 });
const states = (made: Relay) => made.nodes().map(({ name, state }) => `${name} ${state}`);

describe('the relay', () => {
  it('follows agents, past flows first, and merges by time', async () => {
    const [one, two] = [await agent('node-1'), await agent('node-2')];
    const now = Date.now();
    one.observe({ timeMs: now }, { timeMs: now + 20 });
    two.observe({ timeMs: now + 10 }, { timeMs: now + 30 });
    const made = relay({ mergeWaitMs: 1_000 });
    made.follow([one, two]);
    await eventually(() => expect(rows(made)).toHaveLength(4));
    expect(rows(made)).toEqual(['node-1#1', 'node-2#1', 'node-1#2', 'node-2#2']);
    expect(made.nodes()[0]).toMatchObject({ cluster: 'test', state: NodeState.CONNECTED, endpoints: 3, flowsSeen: 2n });
    expect(made.observes('test', 'node-2')).toBe(true);
  });

  it('is not held back by a dead or silent node', async () => {
    const [one, two] = [await agent('node-1'), await agent('node-2')];
    two.muted = true;
    const made = relay();
    made.follow([one, two, { name: 'node-3', address: '127.0.0.1:1' }]);
    await eventually(() =>
      expect(states(made)).toEqual([
        `node-1 ${NodeState.CONNECTED}`,
        `node-2 ${NodeState.CONNECTED}`,
        `node-3 ${NodeState.UNAVAILABLE}`,
      ]),
    );
    two.observe({});
    for (let round = 1; round <= 3; round++) {
      const started = performance.now();
      one.observe({});
      await vi.waitFor(() => expect(rows(made)).toHaveLength(round), { timeout: 20_000, interval: 2 });
      // The wait is 40 ms; the rest is this machine's, and less than anybody would wait for a node that is silent.
      expect(performance.now() - started).toBeLessThan(5_000);
    }
    expect(made.nodes()[2].message).toMatch(/^no connection: .*ECONNREFUSED/);
    await eventually(() => expect(made.nodes()[2].retryAt).toBeDefined());
  });

  it('resumes after a lost connection without gap or repeat', async () => {
    const one = await agent('node-1');
    const made = relay();
    made.follow([one]);
    one.observe({}, {});
    await eventually(() => expect(rows(made)).toHaveLength(2));
    await one.stop();
    await eventually(() => expect(states(made)).toEqual([`node-1 ${NodeState.UNAVAILABLE}`]));
    expect(made.observes('test', 'node-1')).toBe(false);
    one.observe({}, {}, {});
    await one.start();
    await eventually(() => expect(rows(made)).toHaveLength(5));
    one.observe({});
    await eventually(() => expect(rows(made)).toHaveLength(6));
    expect(rows(made)).toEqual([1, 2, 3, 4, 5, 6].map((sequence) => `node-1#${sequence}`));
    expect(made.losses.counts()).toEqual([]);
  });

  it('takes a restarted agent’s new boot, and the loss it tells', async () => {
    const one = await agent('node-1');
    const made = relay();
    made.follow([one]);
    one.observe({}, {});
    await eventually(() => expect(rows(made)).toHaveLength(2));
    await one.stop();
    one.reboot();
    one.observe({});
    await one.start();
    await eventually(() => expect(rows(made)).toEqual(['node-1#1', 'node-1#2', 'node-1#1']));
    expect(made.losses.counts()).toMatchObject([{ source: LossSource.AGENT_RESTART, count: 1n }]);
    expect(made.window.nodes.map(({ bootId }) => bootId)).toHaveLength(2);
  });

  it('lets go of nodes that are no longer there, and follows changed addresses', async () => {
    const [one, two] = [await agent('node-1'), await agent('node-2')];
    const made = relay();
    made.follow([one, two]);
    await eventually(() => expect(made.observes('test', 'node-2')).toBe(true));
    made.follow([{ name: 'node-1', address: two.address }]);
    expect(made.nodes().map(({ name }) => name)).toEqual(['node-1']);
    one.observe({});
    two.observe({});
    await eventually(() => expect(rows(made)).toEqual(['node-2#1']));
  });

  it('leaves out repeated rows, and counts missing ones that nobody told of', () => {
    const made = relay();
    const ingest = made.openIngest();
    const stream = new SampleStream();
    const flows = (...sequences: number[]) => stream.batch(sequences.map((sequence) => ({ sequence })));
    ingest.receive(flows(1, 2, 3));
    ingest.receive(flows(2, 3, 4));
    ingest.receive(flows(10));
    made.flush();
    expect(rows(made)).toEqual([1, 2, 3, 4, 10].map((sequence) => `node-1#${sequence}`));
    expect(made.losses.counts()).toMatchObject([{ source: LossSource.RELAY_QUEUE, count: 5n }]);
    ingest.close();
  });

  it('gives endpoints back once nothing refers to them', () => {
    const made = relay({ window: 2 });
    const ingest = made.openIngest();
    const stream = new SampleStream();
    for (let index = 0; index < 50; index++) {
      ingest.receive(stream.batch([{ source: { ...WEB, address: `10.0.0.${index}` }, sequence: index + 1 }]));
    }
    ingest.close();
    expect(made.window.endpoints.size).toBeLessThanOrEqual(4);
  });

  it('does not take a malformed batch for the end of the world', async () => {
    const made = relay();
    const ingest = made.openIngest();
    const batch = new SampleStream().batch([{}]);
    batch.columns = batch.columns.slice(0, 20);
    expect(() => ingest.receive(batch)).toThrow(/batch ends/);
    ingest.close();
    expect(rows(made)).toEqual([]);
  });
});
