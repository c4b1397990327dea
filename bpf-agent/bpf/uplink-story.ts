/** Packets of clients outside, through the programs of the uplink: real kernel, real maps, no interface. */
import ipaddr from 'ipaddr.js';
import type { Frontend } from '#core/service/service.ts';
import { type RunResult, runPacket } from '../loader/prog-test-run.ts';
import { toDatapathAddress } from '../maps/address-bytes.ts';
import { storyFrontend } from '../services/service-story.ts';
import { ServiceTable } from '../services/service-table.ts';
import * as build from './packet-builder.ts';
import { PacketStory } from './packet-story.ts';

/** What the programs return. */
export const VERDICT = { next: -1, drop: 2, redirect: 7 } as const;

export const NODE = { 4: '192.0.2.1', 6: '2001:db8:1::1' } as const;

const bytesOf = (address: string) => Uint8Array.from(ipaddr.parse(address).toByteArray());

/** A packet's ends, and what of it the programs may change. */
export interface Seen {
  readonly returned: number;
  readonly source: string;
  readonly destination: string;
  readonly hops: number;
  /** 0xffff = right; else by how much it is wrong. */
  readonly checksum: number;
  readonly headerChecksum: number;
  readonly frame: Uint8Array;
}

export class UplinkStory extends PacketStory {
  readonly table: ServiceTable;

  /** @param ports with which the node stands in for clients */
  constructor(ports = 4_536) {
    super();
    const { external, services } = this.datapath.maps;
    external.uplink.set(0, {
      ipv4: toDatapathAddress(bytesOf(NODE[4])),
      ipv6: bytesOf(NODE[6]),
      firstPort: 61_000,
      ports,
    });
    this.table = new ServiceTable(services, { node: 'here', maps: external });
  }

  /** @param backends each `address port`, with ` here` behind it where it runs on the node */
  serve(frontend: string, backends: readonly string[], more: Partial<Frontend> = {}, external: object = {}): void {
    for (const protocol of [6, 17]) {
      const made = storyFrontend(
        frontend,
        backends.map((each) => each.replace(/ here$/, '')),
        { protocol, kind: 'node-port', ...more },
      );
      const list = made.backends.map((each, index) => ({
        ...each,
        node: backends[index]!.endsWith(' here') ? 'here' : 'there',
      }));
      this.table.set({ ...made, backends: list, external: { backends: list, local: false, ...external } });
    }
  }

  /** The frame comes in at the uplink. */
  comesIn(frame: Uint8Array): Seen {
    return seen(this.#run('from_outside', frame));
  }

  /** The frame goes out there. */
  goesOut(frame: Uint8Array): Seen {
    return seen(this.#run('to_outside', frame));
  }

  #run(program: 'from_outside' | 'to_outside', frame: Uint8Array): RunResult {
    return runPacket(this.datapath.programFd(program), { packet: toUs(frame), output: true });
  }
}

/** As if the loopback interface, under which test runs happen, were asked for. */
function toUs(frame: Uint8Array): Uint8Array {
  const own = frame.slice();
  own.fill(0, 0, 6);
  return own;
}

export interface Ends {
  readonly protocol: 'tcp' | 'udp';
  readonly from: string;
  readonly to: string;
  readonly flags?: number;
  readonly payload?: Uint8Array;
}

/** A frame with right checksums. @param ends each `address port` */
export function frameOf({ protocol, from, to, flags = 2, payload = new Uint8Array([1, 2, 3]) }: Ends): Uint8Array {
  const [source = '', sourcePort] = from.split(' ');
  const [destination = '', destinationPort] = to.split(' ');
  const ports = [Number(sourcePort), Number(destinationPort)] as const;
  const transport =
    protocol === 'tcp'
      ? build.tcp({ sourcePort: ports[0], destinationPort: ports[1], flags, payload })
      : build.udp(...ports, payload);
  return checked(ip(source, destination, build.PROTOCOL[protocol], transport));
}

export function ip(source: string, destination: string, protocol: number, payload: Uint8Array): Uint8Array {
  return (source.includes(':') ? build.ipv6 : build.ipv4)({ source, destination, protocol, payload });
}

/** The frame with its checksums made right: of the IPv4 header, and of the transport unless it is a later fragment. */
export function checked(frame: Uint8Array): Uint8Array {
  const done = frame.slice();
  const view = new DataView(done.buffer);
  if (isIpv4(done)) {
    view.setUint16(24, 0);
    view.setUint16(24, ~sum(done.subarray(14, 34)) & 0xffff);
  }
  const at = checksumAt(done);
  if (at === undefined) return done;
  view.setUint16(at, 0);
  view.setUint16(at, ~transportSum(done) & 0xffff || 0xffff);
  return done;
}

const isIpv4 = (frame: Uint8Array) => frame[12] === 8;
const transportAt = (frame: Uint8Array) => (isIpv4(frame) ? 34 : 54);
const protocolOf = (frame: Uint8Array) => frame[isIpv4(frame) ? 23 : 20]!;

function checksumAt(frame: Uint8Array): number | undefined {
  const within = { 1: 2, 6: 16, 17: 6, 58: 2 }[protocolOf(frame)];
  return within === undefined ? undefined : transportAt(frame) + within;
}

function transportSum(frame: Uint8Array): number {
  const protocol = protocolOf(frame);
  const transport = frame.subarray(transportAt(frame));
  if (protocol === 1) return sum(transport);
  const addresses = isIpv4(frame) ? frame.subarray(26, 34) : frame.subarray(22, 54);
  const rest = new Uint8Array(8);
  new DataView(rest.buffer).setUint32(0, transport.length);
  rest[7] = protocol;
  return sum(build.join(addresses, rest, transport));
}

/** One's complement sum of 16-bit words. */
function sum(bytes: Uint8Array): number {
  let total = 0;
  for (let at = 0; at < bytes.length; at += 2) total += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

export function seen({ returned, packet }: Pick<RunResult, 'returned' | 'packet'>): Seen {
  const frame = packet;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const width = isIpv4(frame) ? 4 : 16;
  const addresses = isIpv4(frame) ? 26 : 22;
  const end = (index: number) => {
    const bytes = [...frame.subarray(addresses + index * width, addresses + (index + 1) * width)];
    const address = ipaddr.fromByteArray(bytes);
    const ported = [6, 17].includes(protocolOf(frame)) && frame.length >= transportAt(frame) + 4;
    return `${address.toString()}${ported ? ` ${view.getUint16(transportAt(frame) + index * 2)}` : ''}`;
  };
  return {
    returned,
    source: end(0),
    destination: end(1),
    hops: frame[isIpv4(frame) ? 22 : 21]!,
    checksum: transportSum(frame),
    headerChecksum: isIpv4(frame) ? sum(frame.subarray(14, 34)) : 0xffff,
    frame,
  };
}
