import { statSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OBSERVATION } from '#core/flow/observation.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { type StoryRecord, toStoryRecord } from '../bpf/packet-story.ts';
import { ServiceStory } from './service-story.ts';

let story: ServiceStory;

const ENDPOINT = { id: 7, identity: 0x4000_0007 };
const INTERFACE = 4_000_001;
/** 10.0.0.9 and fd00:9::9 in the 16-byte form. */
const OWN = [
  Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 9),
  Uint8Array.of(0xfd, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9),
];

beforeAll(async () => {
  buildBpf();
  story = new ServiceStory();
  await story.run(`await serve('a', 8080, '127.0.0.1'); await serve('a6', 8080, 'fd00:5::1')`);
  // What a Service's sockets stand for tells the network namespace's cookie.
  story.serve('10.96.0.1:80', ['127.0.0.1:8080']);
  await story.run(`kept.first = dgram.createSocket('udp4'); return exchange(kept.first, 'x', 80, '10.96.0.1')`);
  const { netns } = [...story.datapath.maps.services.translations.values()][0]!;
  expect(told()).toEqual([]);
  story.datapath.maps.endpoints.set(INTERFACE, { ...ENDPOINT, addresses: OWN });
  story.datapath.maps.services.clientNamespaces.set(netns, INTERFACE);
});

afterAll(() => story?.end());

function told(): StoryRecord[] {
  const records: StoryRecord[] = [];
  story.datapath.ring.drain((view, at) => records.push(toStoryRecord(view, at)));
  return records.filter(({ trigger }) => trigger === TRIGGER.TRANSLATION);
}

const word = (low: number, high: number): number => high * 2 ** 32 + low;
const { PRE_XLATE_FWD, POST_XLATE_FWD, PRE_XLATE_REV, POST_XLATE_REV } = OBSERVATION;

beforeEach(() => void told());

describe('what is exchanged at a pod’s socket', () => {
  it('is told as it was before and as it is after, with the socket and the cgroup', async () => {
    story.serve('10.96.0.2:80', ['127.0.0.1:8080']);
    await story.run(`return ask(80, '10.96.0.2')`);
    const records = told();
    expect(records).toMatchObject([
      {
        observation: PRE_XLATE_FWD,
        verdict: VERDICT.TRACED,
        source: '10.0.0.9 0',
        destination: '10.96.0.2 80',
        sourceIdentity: ENDPOINT.identity,
        destinationIdentity: 2,
        endpointId: ENDPOINT.id,
        interfaceIndex: INTERFACE,
        protocol: 6,
        reply: 2,
      },
      { observation: POST_XLATE_FWD, verdict: VERDICT.TRANSLATED, destination: '127.0.0.1 8080', reply: 2 },
    ]);
    const { ino } = statSync(story.cgroup, { bigint: true });
    const cookies = records.map(({ packets }) => word(...packets));
    expect(new Set(cookies).size).toBe(1);
    expect(cookies[0]).toBeGreaterThan(0);
    for (const { bytes } of records) expect(BigInt(word(...bytes))).toBe(ino);
  });

  it('over IPv6 under the pod’s IPv6 address', async () => {
    story.serve('fd96::2 80', ['fd00:5::1 8080']);
    await story.run(`return ask(80, 'fd96::2')`);
    expect(told()).toMatchObject([
      { source: 'fd00:9::9 0', destination: 'fd96::2 80', ipv6: 1 },
      { source: 'fd00:9::9 0', destination: 'fd00:5::1 8080', ipv6: 1 },
    ]);
  });

  it('is told backwards, too, of a datagram’s sender, and once for a socket that goes on sending', async () => {
    story.serve('10.96.0.3:53', ['127.0.0.1:8080']);
    await story.run(`const socket = dgram.createSocket('udp4');
      for (let i = 0; i < 2; i++) await exchange(socket, 'x', 53, '10.96.0.3');
      socket.close()`);
    const records = told();
    expect(records.map(({ observation }) => observation)).toEqual([
      ...[PRE_XLATE_FWD, POST_XLATE_FWD],
      ...[PRE_XLATE_REV, POST_XLATE_REV, PRE_XLATE_REV, POST_XLATE_REV],
    ]);
    expect(records[2]).toMatchObject({ source: '127.0.0.1 8080', destination: '10.0.0.9 0', protocol: 17 });
    expect(records[3]).toMatchObject({ source: '10.96.0.3 53', destination: '10.0.0.9 0' });
  });

  it('is counted beyond a rate, and who asks for the peer is told nothing', async () => {
    story.serve('10.96.0.4:80', ['127.0.0.1:8080']);
    const before = story.datapath.maps.services.translationCounts();
    // Each reads its peer's address.
    await story.run(`await Promise.all(Array.from({ length: 60 }, () => ask(80, '10.96.0.4')))`);
    const after = story.datapath.maps.services.translationCounts();
    const exchanges = told().length / 2;
    expect(exchanges).toBeGreaterThanOrEqual(5);
    expect(exchanges).toBeLessThan(60);
    expect({ told: after.told - before.told, untold: after.untold - before.untold }).toEqual({
      told: exchanges,
      untold: 60 - exchanges,
    });
  });
});
