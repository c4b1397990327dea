/** An Ethernet frame with one IPv4 TCP segment, as programs under test are given it. Checksums are left 0: nobody looks. */
export function tcpPacket(packet: {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Bits of the TCP header's flag byte. */
  readonly flags: number;
  readonly payloadBytes?: number;
}): Uint8Array {
  const payload = packet.payloadBytes ?? 0;
  const frame = new Uint8Array(14 + 20 + 20 + payload);
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x0800);
  frame[14] = 0x45;
  view.setUint16(16, frame.length - 14);
  frame[22] = 64;
  frame[23] = 6;
  frame.set(packet.source.split('.').map(Number), 26);
  frame.set(packet.destination.split('.').map(Number), 30);
  view.setUint16(34, packet.sourcePort);
  view.setUint16(36, packet.destinationPort);
  view.setUint32(38, 1000);
  view.setUint32(42, 2000);
  frame[46] = 5 << 4;
  frame[47] = packet.flags;
  view.setUint16(48, 0xffff);
  return frame;
}

export const TCP_SYN = 0x02;
export const TCP_RST = 0x04;
export const TCP_ACK = 0x10;
