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
    'Nov 21 09:26:56.123: 2001:db8::1 (world) <> default/xwing (ID:2331) to-endpoint FORWARDED (ICMPv6 EchoRequest)',
  );
});

test('a drop tells its reason', () => {
  const drop = {
    source: xwing,
    destination: deathstar,
    sourcePort: 41234,
    destinationPort: 80,
    protocol: 6,
    tcpFlags: 2,
  };
  expect(line({ ...drop, verdict: 2, dropReason: 133, observation: OBSERVATION.TO_ENDPOINT })).toBe(
    'Nov 21 09:26:56.123: default/xwing:41234 (ID:2331) -> default/ds-x:80 (ID:901) Policy denied DROPPED (TCP Flags: SYN)',
  );
});

test('names, an IPv6 address with a port, an unknown identity, an ICMP error', () => {
  const named = store.intern({ ...NO_ENDPOINT, address: '1.2.3.4', identity: 2, names: ['a.example', 'b.example'] });
  const unknown = store.intern({ ...NO_ENDPOINT, address: 'fd00::7' });
  const udp = {
    source: unknown,
    destination: named,
    sourcePort: 5353,
    destinationPort: 53,
    protocol: 17,
    observation: 3,
  };
  expect(line(udp)).toBe(
    'Nov 21 09:26:56.123: [fd00::7]:5353 (unknown) -> a.example,b.example:53 (world) to-stack FORWARDED (UDP)',
  );
  expect(line({ ...udp, protocol: 1, sourcePort: 3, destinationPort: 3 })).toContain(
    '(ICMPv4 DestinationUnreachable(Port))',
  );
  expect(line({ ...udp, protocol: 1, sourcePort: 42, destinationPort: 7 })).toContain('(ICMPv4 42(7))');
});

test('a day below ten, and the node', () => {
  const columns = allocateColumns(1);
  columns.timeSeconds[0] = new Date(2026, 5, 3, 1, 2, 3).getTime() / 1000;
  columns.protocol[0] = 17;
  expect(compactLine(columns, 0, store, 'bees/node-1')).toMatch(/^Jun {2}3 01:02:03\.000 \[bees\/node-1\]: /);
});
