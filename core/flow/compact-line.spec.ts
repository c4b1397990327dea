import { expect, test } from 'vitest';
import { allocateColumns } from './columns.ts';
import { compactLine } from './compact-line.ts';
import { NO_ENDPOINT } from './endpoint.ts';
import { EndpointStore } from './endpoint-store.ts';
import { OBSERVATION } from './observation.ts';

const store = new EndpointStore();
const xwing = store.intern({ ...NO_ENDPOINT, address: '10.0.0.1', identity: 2331, namespace: 'default', pod: 'xwing' });
const deathstar = store.intern({
  ...NO_ENDPOINT,
  address: '10.0.0.2',
  identity: 901,
  namespace: 'default',
  pod: 'ds-x',
});
const world = store.intern({ ...NO_ENDPOINT, address: '2001:db8::1', identity: 2 });
const at = new Date(2026, 10, 21, 9, 26, 56, 123);

function line(values: Record<string, number>): string {
  const columns = allocateColumns(1);
  columns.timeSeconds[0] = Math.floor(at.getTime() / 1000);
  columns.timeNanos[0] = 123_000_000;
  columns.verdict[0] = 1;
  for (const [name, value] of Object.entries(values)) columns[name as keyof typeof columns][0] = value;
  return compactLine(columns, 0, store);
}

test("an opener's packet", () => {
  expect(
    line({
      source: xwing,
      destination: deathstar,
      sourcePort: 41234,
      destinationPort: 80,
      protocol: 6,
      tcpFlags: 2,
      observation: OBSERVATION.TO_ENDPOINT,
    }),
  ).toBe(
    'Nov 21 09:26:56.123: default/xwing:41234 (ID:2331) -> default/ds-x:80 (ID:901) to-endpoint FORWARDED (TCP Flags: SYN)',
  );
});

test('a reply keeps the opener in front', () => {
  expect(
    line({
      source: deathstar,
      destination: xwing,
      sourcePort: 80,
      destinationPort: 41234,
      protocol: 6,
      tcpFlags: 0x12,
      reply: 1,
      observation: OBSERVATION.TO_STACK,
    }),
  ).toBe(
    'Nov 21 09:26:56.123: default/xwing:41234 (ID:2331) <- default/ds-x:80 (ID:901) to-stack FORWARDED (TCP Flags: SYN, ACK)',
  );
});

test('unknown opener, reserved identity, IPv6, no ports', () => {
  expect(line({ source: world, destination: xwing, sourcePort: 128, protocol: 58, reply: 2, observation: 101 })).toBe(
    'Nov 21 09:26:56.123: [2001:db8::1] (world) <> default/xwing (ID:2331) to-endpoint FORWARDED (ICMPv6 EchoRequest)',
  );
});
