import { runPacket } from '#bpf-agent/loader/prog-test-run.ts';
import { TCP_ACK, TCP_SYN, tcpPacket } from './tcp-packet.ts';

const CLIENT = { address: '10.64.0.2', port: 40_000 };
const SERVER = { address: '10.64.0.3', port: 8080 };

/** Shakes hands through both programs as the client's interface sees it. Returns a later segment of the client's. */
export function establishConnection(fromEndpoint: number, toEndpoint: number): Uint8Array {
  const forth = {
    source: CLIENT.address,
    destination: SERVER.address,
    sourcePort: CLIENT.port,
    destinationPort: SERVER.port,
  };
  const back = {
    source: SERVER.address,
    destination: CLIENT.address,
    sourcePort: SERVER.port,
    destinationPort: CLIENT.port,
  };
  const segment = tcpPacket({ ...forth, flags: TCP_ACK, payloadBytes: 100 });
  runPacket(fromEndpoint, { packet: tcpPacket({ ...forth, flags: TCP_SYN }) });
  runPacket(toEndpoint, { packet: tcpPacket({ ...back, flags: TCP_SYN | TCP_ACK }) });
  runPacket(fromEndpoint, { packet: tcpPacket({ ...forth, flags: TCP_ACK }) });
  return segment;
}

/** An acknowledgement of the client's, without payload, on the connection of {@link establishConnection}. */
export function laterAcknowledgement(): Uint8Array {
  return tcpPacket({
    source: CLIENT.address,
    destination: SERVER.address,
    sourcePort: CLIENT.port,
    destinationPort: SERVER.port,
    flags: TCP_ACK,
  });
}

/** A segment that opens and resets a connection at once: given again, it is a new connection each time. */
export function openingSegment(): Uint8Array {
  return tcpPacket({
    source: CLIENT.address,
    destination: SERVER.address,
    sourcePort: CLIENT.port + 1,
    destinationPort: SERVER.port,
    flags: TCP_SYN | 0x04,
  });
}
