import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { LostEventSource } from '#proto/gen/flow/flow_pb.ts';
import type { GetFlowsResponse } from '#proto/gen/observer/observer_pb.ts';
import { Code } from '../grpc/service.ts';
import { cpuShare } from '../testing/cpu-share.ts';
import { atEnd, endObserved, type GetFlowsInit, observe } from '../testing/observed-window.ts';

afterEach(endObserved);

/** By row: the second of its flow. */
function seconds(responses: readonly GetFlowsResponse[]): number[] {
  return responses.flatMap(({ responseTypes, time }) =>
    responseTypes.case === 'flow' ? [Number(time?.seconds ?? 0n) - 1_700_000_000] : [],
  );
}

const at = (second: number) => timestampFromMs((1_700_000_000 + second) * 1_000);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
const U64_MAX = 0xffff_ffff_ffff_ffffn;

describe('GetFlows', () => {
  test('gives everything where nothing else is asked for, oldest first', async () => {
    const { read, window } = await observe(700);
    const responses = await read({});
    expect(seconds(responses)).toEqual(range(0, 700));
    const [first] = responses;
    const boot = window.nodes[window.columns.node[0]];
    expect(first.nodeName).toBe(`${boot.cluster}/${boot.node}`);
    expect(first.responseTypes.value).toMatchObject({ nodeName: first.nodeName });
  });

  test('gives the last or the first so many of every node', async () => {
    const { read, window } = await observe(300);
    const node = (second: number) => window.columns.node[second];
    for (const first of [false, true]) {
      const order = first ? range(0, 300) : range(0, 300).reverse();
      const expected = [0, 1].flatMap((number) => order.filter((second) => node(second) === number).slice(0, 7));
      expect(seconds(await read({ number: 7n, first }))).toEqual(expected.sort((a, b) => a - b));
    }
    expect(seconds(await read({ number: U64_MAX }))).toEqual(range(0, 300));
    expect(seconds(await read({ number: U64_MAX, first: true }))).toEqual(range(0, 300));
  });

  test.each([
    ['last', { number: 30n }],
    ['first', { number: 30n, first: true }],
    ['first of a stretch', { number: 30n, since: at(1_000), until: at(18_999) }],
  ])(
    'gives the %s so many of every node in the order of time, however far apart they are held',
    async (_which, request) => {
      const { read, window } = await observe(20_000);
      const { node, timeSeconds } = window.columns;
      // The second node's are the first that are met, and have the same times as those of the first, which came much later.
      for (let slot = 0; slot < 20_000; slot++) {
        const near = 'first' in request || 'since' in request ? slot < 10_000 : slot >= 10_000;
        node[slot] = near ? 1 : 0;
        timeSeconds[slot] = 1_700_000_000 + 2 * (slot % 10_000) + (near ? 1 : 0);
      }
      const told = seconds(await read(request));
      expect(told).toHaveLength(60);
      expect(told).toEqual(range(told[0], told[0] + 60));
    },
  );

  test('tells flows of a stretch that came late, as long as it does not follow', async () => {
    const { read, window } = await observe(100);
    window.columns.timeSeconds[90] = 1_700_000_000 + 15;
    expect(seconds(await read({ since: at(10), until: at(19) }))).toContain(15);
    expect(seconds(await read({ since: at(10), until: at(19) })).at(-1)).toBe(15);
  });

  test('counts what matches', async () => {
    const { read, window } = await observe(300);
    const dropped = range(0, 300).filter((second) => window.columns.verdict[second] === 2);
    const whitelist = [{ verdict: [2 as const] }];
    expect(seconds(await read({ whitelist }))).toEqual(dropped);
    const last = await read({ number: 1n, whitelist });
    expect(last).toHaveLength(2);
    expect(seconds(last).at(-1)).toBe(dropped.at(-1));
    expect(seconds(await read({ blacklist: whitelist, whitelist }))).toEqual([]);
    expect(seconds(await read({ blacklist: [{}] }))).toEqual([]);
  });

  test('keeps to since and until, which go before number', async () => {
    const { read, window } = await observe(200);
    // A flow at the very instant is neither before since nor after until.
    const last = window.columns.timeNanos[170] === 0 ? 171 : 170;
    expect(seconds(await read({ since: at(150), until: at(170) }))).toEqual(range(150, last));
    expect(seconds(await read({ since: at(190) })).at(-1)).toBe(199);
    expect(seconds(await read({ until: at(10) })).at(0)).toBe(0);
    const some = seconds(await read({ since: at(100), number: 3n }));
    expect(some).toHaveLength(6);
    expect(some[0]).toBeLessThan(106);
    expect(seconds(await read({ since: at(500) }))).toEqual([]);
  });

  test('follows from now, from the last so many, or from a time', async () => {
    const { client, append } = await observe(50);
    const take = async (request: GetFlowsInit, count: number, more: () => void) => {
      const got: GetFlowsResponse[] = [];
      more();
      for await (const response of client.getFlows({ ...request, follow: true })) {
        got.push(response);
        more();
        if (got.length === count) break;
      }
      return seconds(got);
    };
    let appended = 0;
    const later = () => {
      if (appended++ < 3) setTimeout(() => append(1), 50);
    };
    const live = take({}, 2, () => {});
    await vi.waitFor(() => append(1), { timeout: 20_000 });
    const ticker = setInterval(() => append(1), 20);
    atEnd(() => clearInterval(ticker));
    const followed = await live;
    expect(followed[1]).toBe(followed[0] + 1);
    clearInterval(ticker);
    const lastTwo = await take({ number: 1n }, 3, later);
    expect(lastTwo).toHaveLength(3);
    const from = await take({ since: at(40) }, 12, later);
    expect(from.at(-1)! - from[0]).toBeGreaterThanOrEqual(11);
  });

  test('ends a followed stream at the first later flow', async () => {
    const { client, append } = await observe(50);
    const read = Array.fromAsync(client.getFlows({ follow: true, since: at(45), until: at(52) }));
    const ticker = setInterval(() => append(1), 10);
    atEnd(() => clearInterval(ticker));
    const got = seconds(await read);
    expect(got.at(-1)).toBeLessThanOrEqual(52);
    expect(got.length).toBeGreaterThan(5);
  });

  test('answers with headers before there is anything to tell, and ends when the caller goes', async () => {
    const { client, followers } = await observe(10);
    const ended = new AbortController();
    const stream = client.getFlows({ follow: true }, { signal: ended.signal })[Symbol.asyncIterator]();
    const next = stream.next().catch((error) => error);
    await vi.waitFor(() => expect(followers()).toBe(1), { timeout: 20_000 });
    ended.abort();
    expect((await next).code).toBe(Code.CANCELLED);
    await vi.waitFor(() => expect(followers()).toBe(0), { timeout: 20_000 });
  });

  test('tells losses whatever the filter, and what was overwritten', async () => {
    const { client, append, lose, wake } = await observe(100);
    const stream = client.getFlows({ follow: true, whitelist: [{ uuid: ['none'] }] });
    const iterator = stream[Symbol.asyncIterator]();
    const first = iterator.next();
    const ticker = setInterval(() => wake(), 10);
    atEnd(() => clearInterval(ticker));
    await new Promise((resolve) => setTimeout(resolve, 100));
    lose(5n);
    const { value } = await first;
    expect(value.responseTypes).toMatchObject({ case: 'lostEvents', value: { source: 1, numEventsLost: 5n } });
    append(250);
    const told = (await iterator.next()).value.responseTypes;
    expect(told).toMatchObject({ case: 'lostEvents', value: { source: LostEventSource.HUBBLE_RING_BUFFER } });
    expect(told.value.numEventsLost).toBeGreaterThanOrEqual(50n);
    await iterator.return?.();
  });

  test.each([
    ['the last so many', { number: 20_000n, follow: true }],
    ['a time', { since: at(0), follow: true }],
  ])('a reader from %s that stands still is told what it missed', async (_from, request) => {
    const { client, append, window } = await observe(20_000);
    const stream = client.getFlows(request)[Symbol.asyncIterator]();
    let flows = 0;
    let lost = 0;
    const take = async () => {
      const { responseTypes } = (await stream.next()).value;
      if (responseTypes.case === 'lostEvents') lost += Number(responseTypes.value.numEventsLost);
      else flows++;
    };
    await take();
    // The server has filled what the connection holds and waits; meanwhile all it would have sent next is overwritten.
    await new Promise((resolve) => setTimeout(resolve, 300));
    append(30_000);
    while (flows + lost < window.end) await take();
    expect(flows + lost).toBe(50_000);
    expect(lost).toBeGreaterThan(10_000);
    expect(flows).toBeGreaterThan(20_000);
    await stream.return?.();
  });

  test('serves a thousand followers alike', async () => {
    const { client, append, followers } = await observe(100);
    const ended = new AbortController();
    const readers = Array.from({ length: 1_000 }, async () => {
      const stream = client.getFlows({ follow: true }, { signal: ended.signal });
      let count = 0;
      for await (const _response of stream) if (++count === 3) break;
      return count;
    });
    await vi.waitFor(() => expect(followers()).toBe(1_000), { timeout: 30_000 });
    append(3);
    // A few more, for who began to look only now.
    const ticker = setInterval(() => append(1), 1_000);
    atEnd(() => clearInterval(ticker));
    expect(await Promise.all(readers)).toEqual(Array.from({ length: 1_000 }, () => 3));
    await vi.waitFor(() => expect(followers()).toBe(0), { timeout: 30_000 });
  });

  test.each([
    ['the last so many', { number: 5n }],
    ['the first so many', { number: 5n, first: true }],
    ['a time', { since: at(0), until: at(19_000), follow: true }],
  ])('asks a costly question from %s piece by piece, for others to have their turn', async (_from, request) => {
    const { client, append } = await observe(20_000);
    const celExpression = ["_flow.source.labels.exists(l, l == 'nowhere')"];
    const turns: number[] = [];
    // The best of a few: what else the machine does is not the server's.
    while (turns.length === 0 || (turns.length < 5 && Math.min(...turns) >= 700)) {
      let longestMs = 0;
      let lastMs = performance.now();
      const ticker = setInterval(() => {
        longestMs = Math.max(longestMs, performance.now() - lastMs);
        lastMs = performance.now();
      }, 1);
      atEnd(() => clearInterval(ticker));
      if ('follow' in request) append(1);
      const read = client.getFlows({ ...request, whitelist: [{ experimental: { celExpression } }] });
      expect(await Array.fromAsync(read)).toEqual([]);
      clearInterval(ticker);
      turns.push(longestMs * cpuShare());
    }
    expect(Math.min(...turns)).toBeLessThan(700);
  });

  test('honours the field mask', async () => {
    const { read } = await observe(5);
    for (const { responseTypes, nodeName } of await read({ fieldMask: { paths: ['node_name', 'source.namespace'] } })) {
      expect(nodeName).not.toBe('');
      if (responseTypes.case !== 'flow') throw new Error('not a flow');
      const { time, uuid, Summary, IP } = responseTypes.value;
      expect({ time, uuid, Summary, IP }).toEqual({ time: undefined, uuid: '', Summary: '', IP: undefined });
      expect(responseTypes.value.nodeName).toBe(nodeName);
    }
  });

  test.each<[string, GetFlowsInit, RegExp]>([
    ['first with follow', { first: true, follow: true }, /first cannot be specified with follow/],
    ['a bad filter', { whitelist: [{ sourceIp: ['x'] }] }, /source_ip: "x" is not an IP address/],
    ['a bad filter of the blacklist', { blacklist: [{ sourcePort: ['x'] }] }, /not a port/],
    ['a bad mask', { fieldMask: { paths: ['nothing'] } }, /not a path of flow.Flow/],
    ['a bad time', { since: { seconds: 1n, nanos: -1 } }, /since is not a time/],
  ])('refuses %s', async (_name, request, message) => {
    const { read } = await observe(3);
    await expect(read(request)).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: expect.stringMatching(message),
    });
  });
});
