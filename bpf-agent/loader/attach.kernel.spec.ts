import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { TRIGGER } from '#core/flow/trigger.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { type StoryRecord, toStoryRecord, totals } from '../bpf/packet-story.ts';
import { type Datapath, type DatapathOptions, DEFAULT_OBJECT, openDatapath } from './datapath.ts';
import {
  echoClient,
  echoServer,
  NODE_ADDRESS,
  POD_ADDRESS,
  udpSender,
  unansweredClient,
  VethStory,
} from './veth-story.ts';

const SMALL = { connections: 4096, ringBytes: 1 << 20 };
/** Programs and links are freed after the last use, in the background. */
const SOON = { timeout: 15_000, interval: 20 };

let story: VethStory;
let open: Datapath[];

beforeAll(() => {
  buildBpf();
});

beforeEach(() => {
  story = new VethStory();
  open = [];
});

afterEach(() => {
  for (const datapath of open) datapath.close();
  story.remove();
});

function datapathOnNode(options: DatapathOptions = {}): Datapath {
  const datapath = story.onNode(() => openDatapath({ ...SMALL, ...options }));
  datapath.takeOver();
  open.push(datapath);
  return datapath;
}

function close(datapath: Datapath): void {
  open.splice(open.indexOf(datapath), 1);
  datapath.close();
}

function recordsOf(datapath: Datapath): StoryRecord[] {
  const records: StoryRecord[] = [];
  datapath.ring.drain((view, at) => records.push(toStoryRecord(view, at)));
  return records;
}

describe.each(['tcx', 'clsact'] as const)('a datapath attached with %s', (attachMode) => {
  it('tells a real connection, byte for byte what the interface counted', async () => {
    const datapath = datapathOnNode({ attachMode, timeouts: { closing: 200 } });
    expect(story.onNode(() => datapath.attach(story.interfaceIndex))).toEqual({
      interfaceIndex: story.interfaceIndex,
      mode: attachMode,
    });
    datapath.maps.endpoints.set(story.interfaceIndex, { id: 5, identity: 500 });
    const port = Number(await story.inNode(echoServer()));
    const size = 300_000;
    expect(await story.inPod(echoClient(NODE_ADDRESS, port, size))).toBe(`${size}`);

    const records: StoryRecord[] = [];
    await vi.waitFor(() => {
      datapath.sweep();
      records.push(...recordsOf(datapath));
      expect(datapath.maps.connections.size).toBe(0);
    }, SOON);
    const counted = story.counted();
    expect(totals(records).bytes).toEqual([counted.fromPod.bytes, counted.toPod.bytes]);
    expect(records.filter((record) => record.trigger === TRIGGER.FIRST_PACKET)).toHaveLength(2);
    expect(records.filter((record) => record.trigger === TRIGGER.CLOSE)).toHaveLength(1);
    for (const record of records) {
      expect(record).toMatchObject({ direction: 2, endpointId: 5, interfaceIndex: story.interfaceIndex });
      expect([record.source, record.destination]).toContain(`${NODE_ADDRESS} ${port}`);
    }
    expect(records[0]?.source).toMatch(`${POD_ADDRESS} `);
    expect(records.at(-1)?.rttMicros).toBeGreaterThan(0);
  });

  it('sees nothing any more once detached', async () => {
    const datapath = datapathOnNode({ attachMode });
    story.onNode(() => datapath.attach(story.interfaceIndex));
    await story.inPod(udpSender(NODE_ADDRESS, 1));
    await vi.waitFor(() => expect(datapath.maps.counters.read().packets).toBeGreaterThan(10), SOON);
    story.onNode(() => datapath.detach(story.interfaceIndex));
    expect(datapath.attached()).toEqual([]);
    let last = -1;
    await vi.waitFor(() => {
      const now = datapath.maps.counters.read().packets;
      const still = now === last;
      last = now;
      expect(still).toBe(true);
    }, SOON);
    const before = story.counted().fromPod.packets;
    await vi.waitFor(() => expect(story.counted().fromPod.packets).toBeGreaterThan(before + 50), SOON);
    expect(datapath.maps.counters.read().packets).toBe(last);
  });
});

describe('segments sent again', () => {
  it('are counted by the sender’s socket', async () => {
    const datapath = datapathOnNode({ timeouts: { recordInterval: 100 } });
    story.onNode(() => datapath.attach(story.interfaceIndex));
    const absent = '10.99.0.77';
    story.addAbsentNeighbour(absent);
    await story.inPod(unansweredClient(absent));
    const records: StoryRecord[] = [];
    // Linux sends a SYN again after 1 s, then 2 s.
    await vi.waitFor(() => {
      datapath.sweep();
      records.push(...recordsOf(datapath));
      expect(totals(records).packets[0]).toBeGreaterThanOrEqual(3);
    }, SOON);
    const again = records.reduce((sum, record) => sum + record.retransmits, 0);
    expect(again).toBe(totals(records).packets[0]! - 1);
    expect(records[0]).toMatchObject({ trigger: TRIGGER.FIRST_PACKET, retransmits: 0 });
  });
});

describe('two datapaths on one interface', () => {
  it('both see every packet: each passes it on', async () => {
    const [first, second] = [datapathOnNode(), datapathOnNode()];
    for (const datapath of [first, second]) story.onNode(() => datapath.attach(story.interfaceIndex));
    await story.inPod(udpSender(NODE_ADDRESS, 1));
    await vi.waitFor(() => expect(first.maps.counters.read().packets).toBeGreaterThan(50), SOON);
    story.removeTraffic();
    await vi.waitFor(() => {
      const { fromPod, toPod } = story.counted();
      expect(second.maps.counters.read().packets).toBe(fromPod.packets + toPod.packets);
      expect(first.maps.counters.read().packets).toBe(fromPod.packets + toPod.packets);
    }, SOON);
  });
});

describe('an interface that is not there', () => {
  it('is said to be gone, in both modes', () => {
    for (const attachMode of ['tcx', 'clsact'] as const) {
      const datapath = datapathOnNode({ attachMode });
      expect(() => story.onNode(() => datapath.attach(987_654))).toThrow(
        expect.objectContaining({ code: 'interface-gone' }),
      );
      expect(datapath.attached()).toEqual([]);
      expect(() => story.onNode(() => datapath.detach(987_654))).not.toThrow();
    }
  });
});

describe('a pinned datapath', () => {
  it('goes on while nobody runs it, and the next process has it all', async () => {
    const program = `
      const { openDatapath } = await import(${JSON.stringify(join(import.meta.dirname, 'datapath.ts'))});
      const datapath = openDatapath({ connections: 4096, ringBytes: 1 << 20, pinDirectory: ${JSON.stringify(story.pinDirectory)} });
      datapath.attach(${story.interfaceIndex});
      datapath.maps.endpoints.set(${story.interfaceIndex}, { id: 5, identity: 500 });
      datapath.maps.agent.set({ bootId: 77n, lastSequence: 12345, aliveAt: 1, stoppedAt: 0 });
      process.kill(process.pid, 'SIGKILL');`;
    const args = [`--net=${story.nodeNamespace}`, process.execPath, '--input-type=module', '-e', program];
    expect(() => execFileSync('nsenter', args, { stdio: ['ignore', 'inherit', 'inherit'] })).toThrow(/SIGKILL|failed/);

    const port = Number(await story.inNode(echoServer()));
    await story.inPod(echoClient(NODE_ADDRESS, port, 1000));

    const datapath = datapathOnNode({ pinDirectory: story.pinDirectory });
    expect(datapath.resumed).toBe(true);
    expect(datapath.attached()).toEqual([{ interfaceIndex: story.interfaceIndex, mode: 'tcx' }]);
    expect(datapath.maps.endpoints.get(story.interfaceIndex)).toEqual({ id: 5, identity: 500 });
    expect(datapath.maps.agent.get()).toEqual({ bootId: 77n, lastSequence: 12345, aliveAt: 1, stoppedAt: 0 });
    const records = recordsOf(datapath);
    expect(records[0]).toMatchObject({ trigger: TRIGGER.FIRST_PACKET, endpointId: 5 });
    expect(records.some((record) => record.trigger === TRIGGER.CLOSE)).toBe(true);
    expect(totals(records).bytes[0]).toBe(story.counted().fromPod.bytes);
  });

  it('changes its programs without missing a packet', async () => {
    let datapath = datapathOnNode({ pinDirectory: story.pinDirectory });
    story.onNode(() => datapath.attach(story.interfaceIndex));
    await story.inPod(udpSender(NODE_ADDRESS, 20));
    for (let restart = 0; restart < 5; restart++) {
      const before = story.counted().fromPod.packets;
      await vi.waitFor(() => expect(story.counted().fromPod.packets).toBeGreaterThan(before + 200), SOON);
      close(datapath);
      datapath = datapathOnNode({ pinDirectory: story.pinDirectory });
      expect(datapath.attached()).toHaveLength(1);
    }
    story.removeTraffic();
    await vi.waitFor(() => {
      const { fromPod, toPod } = story.counted();
      expect(datapath.maps.counters.read().packets).toBe(fromPod.packets + toPod.packets);
      expect(fromPod.packets).toBeGreaterThan(1000);
    }, SOON);
  });

  it('takes maps of another shape new, and keeps the rest', () => {
    const first = datapathOnNode({ pinDirectory: story.pinDirectory });
    story.onNode(() => first.attach(story.interfaceIndex));
    first.maps.endpoints.set(story.interfaceIndex, { id: 9, identity: 900 });
    const pins = () => readdirSync(join(story.pinDirectory, 'maps')).filter((name) => name.startsWith('connections-'));
    const [before] = pins();
    close(first);
    const second = datapathOnNode({ pinDirectory: story.pinDirectory, connections: 8192 });
    expect(second.resumed).toBe(false);
    expect(second.maps.endpoints.get(story.interfaceIndex)?.id).toBe(9);
    expect(second.attached()).toHaveLength(1);
    expect(pins()).toHaveLength(1);
    expect(pins()[0]).not.toBe(before);
  });

  it('leaves an earlier process’s programs at work while its own have nothing to decide by', async () => {
    const first = datapathOnNode({ pinDirectory: story.pinDirectory });
    story.onNode(() => first.attach(story.interfaceIndex));
    first.maps.endpoints.set(story.interfaceIndex, { id: 9, identity: 900 });
    first.maps.state.bump();
    await story.inPod(udpSender(NODE_ADDRESS, 20));
    await vi.waitFor(() => expect(first.maps.counters.read().packets).toBeGreaterThan(20), SOON);

    // One map of another shape, and none of those it belongs with is taken over.
    const second = story.onNode(() =>
      openDatapath({ ...SMALL, pinDirectory: story.pinDirectory, policyEntries: 1000 }),
    );
    expect(second.attached()).toHaveLength(1);
    expect(second.maps.endpoints.size).toBe(0);
    const told = () => recordsOf(second).map(({ endpointId }) => endpointId);
    await story.inPod(udpSender(NODE_ADDRESS, 21));
    await vi.waitFor(() => expect(told()).toContain(9), SOON);

    second.maps.endpoints.set(story.interfaceIndex, { id: 10, identity: 901 });
    second.takeOver();
    await story.inPod(udpSender(NODE_ADDRESS, 22));
    await vi.waitFor(() => expect(told()).toContain(10), SOON);
    close(second);
    close(first);
  });

  it('goes on when the kernel refuses the next process’s programs', async () => {
    const first = datapathOnNode({ pinDirectory: story.pinDirectory });
    story.onNode(() => first.attach(story.interfaceIndex));
    // Everything is kept from the pod.
    const ways = { ingress: true, egress: true };
    first.maps.endpoints.set(story.interfaceIndex, {
      ...{ id: 9, identity: 900 },
      policy: { set: 0, enforced: ways, audited: ways, ranges: false, guarded: false, closed: true },
    });
    first.maps.state.bump();
    close(first);

    const image = readFileSync(DEFAULT_OBJECT);
    const call = image.indexOf(Buffer.from('8500000001000000', 'hex'));
    image.writeUInt32LE(99_999, call + 4);
    const objectPath = join(story.pinDirectory, '..', `${basename(story.pinDirectory)}-refused.o`);
    writeFileSync(objectPath, image);
    const pins = () => readdirSync(join(story.pinDirectory, 'maps')).sort();
    const before = pins();
    try {
      for (const policyEntries of [undefined, 1000]) {
        const next = { ...SMALL, pinDirectory: story.pinDirectory, objectPath, policyEntries };
        expect(() => story.onNode(() => openDatapath(next))).toThrow(
          expect.objectContaining({ code: 'object-refused' }),
        );
      }
    } finally {
      rmSync(objectPath);
    }
    expect(pins()).toEqual(before);
    await story.inPod(udpSender(NODE_ADDRESS, 20));
    const again = datapathOnNode({ pinDirectory: story.pinDirectory });
    await vi.waitFor(() => expect(again.maps.counters.read().dropped[4]).toBeGreaterThan(20), SOON);
    expect(again.attached()).toHaveLength(1);
  });

  it('lets go of the links of interfaces that are gone', async () => {
    const first = datapathOnNode({ pinDirectory: story.pinDirectory });
    story.onNode(() => first.attach(story.interfaceIndex));
    const links = () => readdirSync(join(story.pinDirectory, 'links'));
    expect(links().sort()).toEqual([`${story.interfaceIndex}-egress`, `${story.interfaceIndex}-ingress`]);
    close(first);
    story.removePod();
    await vi.waitFor(() => {
      const second = datapathOnNode({ pinDirectory: story.pinDirectory });
      const left = second.attached();
      close(second);
      expect(left).toEqual([]);
    }, SOON);
    expect(links()).toEqual([]);
  });

  it('detaches for good: the pin goes with the link', () => {
    const datapath = datapathOnNode({ pinDirectory: story.pinDirectory });
    story.onNode(() => datapath.attach(story.interfaceIndex));
    datapath.detach(story.interfaceIndex);
    expect(readdirSync(join(story.pinDirectory, 'links'))).toEqual([]);
    close(datapath);
    expect(datapathOnNode({ pinDirectory: story.pinDirectory }).attached()).toEqual([]);
  });
});
