import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CursorSchema } from '#proto/gen/waggle/v1/flow_pb.ts';
import { ViewUpdateSchema, type WatchRequest } from '#proto/gen/waggle/v1/view_pb.ts';
import { CallError, CODE, NO_STATUS } from './call-error.ts';
import type { StreamHandlers } from './grpc-web-stream.ts';
import type { ConnectionState } from './protocol.ts';
import { WatchStream } from './stream.ts';

interface Opened extends StreamHandlers<unknown> {
  readonly request: WatchRequest;
  cancelled: boolean;
}

const opened: Opened[] = [];

vi.mock('./grpc-web-stream.ts', () => ({
  openStream: (_base: string, _method: unknown, request: WatchRequest, handlers: StreamHandlers<unknown>) => {
    const stream = { request, cancelled: false, ...handlers };
    opened.push(stream);
    return () => {
      stream.cancelled = true;
    };
  },
}));

const states: ConnectionState[] = [];
let unreadable = false;
let stream: WatchStream;

beforeEach(() => {
  vi.useFakeTimers();
  opened.length = states.length = 0;
  unreadable = false;
  stream = new WatchStream(
    '/api/',
    { namespaces: [], filter: [], perNode: false },
    {
      begin: () => {},
      update: () => {
        if (unreadable) throw new Error('batch has 99 fields');
      },
      state: (state) => states.push(state),
    },
  );
  stream.open();
});

afterEach(() => {
  stream.close();
  vi.useRealTimers();
});

const cursor = create(CursorSchema, { positions: [{ sequence: 7n }] });
const update = (more: object = {}) => create(ViewUpdateSchema, { flows: { cursor }, ...more });
const last = () => opened.at(-1)!;
const waiting = () => states.at(-1) as Extract<ConnectionState, { phase: 'waiting' }>;

test('a rotation goes on from its cursor at once, without a word', () => {
  last().message(update());
  vi.advanceTimersByTime(1_000);
  last().message(update({ rotate: true }));
  last().end();
  expect(opened).toHaveLength(2);
  expect(last().request).toMatchObject({ cursor, last: 0 });
  expect(states.every(({ phase }) => phase !== 'waiting')).toBe(true);
});

test('a server that does nothing but rotate is asked once a second', () => {
  for (let time = 0; time < 5; time++) {
    last().message(update({ rotate: true }));
    last().end();
    expect(opened).toHaveLength(time + 1);
    vi.advanceTimersByTime(1_000);
    expect(opened).toHaveLength(time + 2);
  }
  expect(states.every(({ phase }) => phase !== 'waiting')).toBe(true);
});

test('nothing for 20 seconds is a dead line, and said as what it is', () => {
  vi.advanceTimersByTime(19_999);
  expect(opened).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(waiting()).toMatchObject({ phase: 'waiting', message: expect.stringContaining('for 20 s') });
  expect(opened[0].cancelled).toBe(true);
  vi.advanceTimersByTime(1_000);
  expect(opened).toHaveLength(2);
});

test('a line so slow that a message takes minutes is not dead', () => {
  for (let seconds = 0; seconds < 300; seconds += 15) {
    vi.advanceTimersByTime(15_000);
    last().heard!();
  }
  expect(opened).toHaveLength(1);
  vi.advanceTimersByTime(20_000);
  expect(waiting().phase).toBe('waiting');
});

test('who slept reads what came meanwhile before the line is called dead', () => {
  last().message(update());
  vi.advanceTimersByTime(10_000);
  // The clock goes on, and no timer runs.
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + 60_000);
  vi.advanceTimersByTime(10_000);
  expect(states.at(-1)!.phase).toBe('live');
  last().heard!();
  vi.advanceTimersByTime(5_000);
  expect(states.at(-1)!.phase).toBe('live');
  vi.advanceTimersByTime(15_000);
  expect(waiting().phase).toBe('waiting');
});

test('streams that end as soon as they begin are opened less and less often, until one lasts', () => {
  const waits: number[] = [];
  const fail = () => {
    last().message(update());
    last().end(new CallError(CODE.UNAVAILABLE, 'broke'));
    waits.push(waiting().retryAt - Date.now());
    vi.advanceTimersByTime(waits.at(-1)!);
  };
  for (let time = 0; time < 4; time++) fail();
  // Each waits twice as long, less a fifth at random.
  for (const [at, wait] of waits.slice(1).entries()) expect(wait).toBeGreaterThan(1.5 * waits[at]);
  vi.advanceTimersByTime(6_000);
  fail();
  expect(waits.at(-1)).toBeLessThanOrEqual(1_000);
});

test('what cannot be read is asked for again from before it, and loading the page is offered', () => {
  last().message(update());
  unreadable = true;
  last().message(create(ViewUpdateSchema, { flows: { cursor: { positions: [{ sequence: 8n }] } } }));
  expect(waiting()).toMatchObject({ phase: 'waiting', reload: true, message: expect.stringContaining('99 fields') });
  vi.advanceTimersByTime(1_000);
  expect(last().request).toMatchObject({ cursor, last: 0 });
});

test('who was refused for want of a session is asked again when somebody looks, and begins anew', () => {
  last().message(update());
  last().end(new CallError(CODE.UNAUTHENTICATED, 'sign in first'));
  expect(states.at(-1)).toMatchObject({ phase: 'refused', reason: 'session' });
  vi.advanceTimersByTime(60_000);
  expect(opened).toHaveLength(1);
  stream.retryNow();
  expect(opened).toHaveLength(2);
  expect([last().request.cursor, last().request.last]).toEqual([undefined, 4_096]);
});

test('neither a filter that is wrong nor a stream at rest is tried again', () => {
  last().end(new CallError(CODE.INVALID_ARGUMENT, 'no such field'));
  stream.retryNow();
  expect(opened).toHaveLength(1);
  expect(states.at(-1)).toMatchObject({ phase: 'refused', reason: 'filter' });
  stream.rest();
  stream.wake();
  last().end(new CallError(CODE.PERMISSION_DENIED, 'not yours'));
  stream.rest();
  stream.retryNow();
  expect(opened).toHaveLength(2);
});

test('loading the page is offered where somebody in front wants people to sign in', () => {
  last().end(new CallError(NO_STATUS.SIGN_IN, 'HTTP status 401'));
  expect(waiting()).toMatchObject({ reload: true, message: expect.stringContaining('HTTP status 401') });
  vi.advanceTimersByTime(1_000);
  last().end(new CallError(NO_STATUS.NO_ANSWER, ''));
  expect(waiting().reload).toBe(false);
});
