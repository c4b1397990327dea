import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress } from '#core/ip/address.ts';
import { ethernet, type FrameParts, frame, icmp, tcp, udp } from './frame-builder.ts';
import { parseFrame } from './packet.ts';

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(formatAddress);
// Outside ::ffff:0:0/96, whose text form is IPv4's.
const ipv6 = fc.uint8Array({ minLength: 15, maxLength: 15 }).map((rest) => formatAddress([0xfd, ...rest]));
const port = fc.integer({ min: 0, max: 65_535 });
const body = fc.uint8Array({ maxLength: 20 });
const extensionProtocol = fc.constantFrom(0, 43, 60, 135, 139, 140);
const v4Ends = fc.record({
  source: ipv4,
  destination: ipv4,
  extensions: fc.array(fc.record({ protocol: fc.constant(0), body }), { maxLength: 1 }),
});
const v6Ends = fc.record({
  source: ipv6,
  destination: ipv6,
  extensions: fc.array(fc.record({ protocol: extensionProtocol, body }), { maxLength: 4 }),
});
const ends = fc.oneof(v4Ends, v6Ends);

describe('a frame', () => {
  test('of TCP or UDP gives its ends, ports, flags and length, whatever headers stand before', () => {
    fc.assert(
      fc.property(
        ends,
        fc.constantFrom(6, 17),
        port,
        port,
        fc.nat({ max: 255 }),
        fc.nat(),
        (network, protocol, sourcePort, destinationPort, flags, sequence) => {
          const transport =
            protocol === 6
              ? tcp(sourcePort, destinationPort, flags, sequence)
              : udp(sourcePort, destinationPort, new Uint8Array(3));
          const bytes = frame({ ...network, protocol, transport });
          expect(parseFrame(bytes, bytes.length + 5)).toEqual({
            kind: 'packet',
            packet: {
              source: network.source,
              destination: network.destination,
              protocol,
              sourcePort,
              destinationPort,
              tcpFlags: protocol === 6 ? flags : 0,
              sequence: protocol === 6 ? sequence : 0,
              fragment: undefined,
              bytes: bytes.length + 5 - 14,
            },
          });
        },
      ),
    );
  });

  test('that is a fragment tells its id, and ports only when it is the first', () => {
    fc.assert(
      fc.property(ends, fc.nat({ max: 0xffff }), fc.integer({ min: 0, max: 1000 }), (network, id, units) => {
        const parts: FrameParts = {
          ...network,
          protocol: 17,
          fragment: { id, offset: units * 8, more: true },
          transport: udp(5000, 53),
        };
        const bytes = frame(parts);
        const parsed = parseFrame(bytes, bytes.length);
        expect(parsed).toMatchObject({
          kind: 'packet',
          packet: {
            protocol: 17,
            sourcePort: units === 0 ? 5000 : 0,
            destinationPort: units === 0 ? 53 : 0,
            fragment: { id, first: units === 0 },
          },
        });
      }),
    );
  });

  test.for<[string, FrameParts, object]>([
    ['echo request', ends4(1, icmp(8, 0, 77)), { sourcePort: 8, destinationPort: 0, echoId: 77 }],
    ['port unreachable', ends4(1, icmp(3, 3, 77)), { sourcePort: 3, destinationPort: 3 }],
    ['ICMPv6 echo reply', ends6(58, icmp(129, 0, 9)), { sourcePort: 129, destinationPort: 0, echoId: 9 }],
    ['packet too big', ends6(58, icmp(2, 0)), { sourcePort: 2, destinationPort: 0 }],
  ])('of %s gives type, code and identifier', ([, parts, expected]) => {
    const parsed = parseFrame(frame(parts), 100);
    expect(parsed).toMatchObject({ kind: 'packet', packet: expected });
    expect(parsed.kind === 'packet' && 'echoId' in parsed.packet).toBe('echoId' in expected);
  });

  test.for<[string, Uint8Array, object]>([
    ['ARP', ethernet(0x0806), { kind: 'housekeeping', what: 'ARP' }],
    ['neighbour solicitation', frame(ends6(58, icmp(135, 0))), { kind: 'housekeeping', what: 'NDP' }],
    ['router solicitation', frame(ends6(58, icmp(133, 0))), { kind: 'housekeeping', what: 'NDP' }],
    [
      'multicast listener report',
      frame({ ...ends6(58, icmp(143, 0)), extensions: [{ protocol: 0, body: new Uint8Array(6) }] }),
      { kind: 'housekeeping', what: 'MLD' },
    ],
    ['IGMP', frame(ends4(2, icmp(0x22, 0))), { kind: 'housekeeping', what: 'IGMP' }],
    ['LLDP', ethernet(0x88cc), { kind: 'other', etherType: 0x88cc }],
  ])('of %s is no flow', ([, bytes, expected]) => {
    expect(parseFrame(bytes, bytes.length)).toEqual(expected);
  });

  test('cut or random never throws', () => {
    const anyFrame = fc.tuple(fc.constantFrom(0x0800, 0x86dd), fc.uint8Array({ maxLength: 120 }));
    fc.assert(
      fc.property(anyFrame, ([etherType, rest]) => {
        const bytes = Uint8Array.of(...ethernet(etherType), ...rest);
        expect(['packet', 'housekeeping', 'unreadable']).toContain(parseFrame(bytes, bytes.length).kind);
      }),
    );
    const whole = frame({ ...ends6(6, tcp(1, 2, 2)), extensions: [{ protocol: 60, body: new Uint8Array(6) }] });
    for (let length = 0; length < whole.length; length++) {
      expect(parseFrame(whole.subarray(0, length), whole.length).kind).toBe('unreadable');
    }
  });
});

function ends4(protocol: number, transport: Uint8Array): FrameParts {
  return { source: '10.0.0.1', destination: '10.0.0.2', protocol, transport };
}

function ends6(protocol: number, transport: Uint8Array): FrameParts {
  return { source: 'fd00::1', destination: 'fd00::2', protocol, transport };
}
