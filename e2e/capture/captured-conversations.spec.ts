import { describe, expect, test } from 'vitest';
import { TCP_FLAG } from '#core/flow/tcp-flags.ts';
import { addCapture } from './captured-conversations.ts';
import { ConversationTable, differences } from './conversation.ts';
import { type FrameParts, frame, icmp, tcp, udp } from './frame-builder.ts';
import type { CapturedFrame } from './pcap-file.ts';

const { SYN, ACK, FIN, RST } = TCP_FLAG;
const CLIENT = '10.0.0.1';
const SERVER = '10.0.0.2';

function summarise(...packets: [FrameParts, number?][]) {
  const conversations = new ConversationTable();
  const frames = packets.map(([parts, bytes], index): CapturedFrame => {
    const built = frame(parts);
    return { timeNs: BigInt(index), bytes: built, length: bytes === undefined ? built.length : bytes + 14 };
  });
  const summary = addCapture(frames, 'default/a', conversations);
  return { ...summary, conversations: [...conversations].map(([, conversation]) => conversation) };
}

const there = (protocol: number, transport: Uint8Array) => ({
  source: CLIENT,
  destination: SERVER,
  protocol,
  transport,
});
const back = (protocol: number, transport: Uint8Array) => ({
  source: SERVER,
  destination: CLIENT,
  protocol,
  transport,
});

describe('captured conversations', () => {
  test('count a TCP connection once, each way by its bytes', () => {
    const { conversations, problems } = summarise(
      [there(6, tcp(40_000, 80, SYN, 1)), 60],
      [there(6, tcp(40_000, 80, SYN, 1)), 60],
      [back(6, tcp(80, 40_000, SYN | ACK)), 60],
      [there(6, tcp(40_000, 80, ACK)), 52],
      [back(6, tcp(80, 40_000, FIN | ACK)), 9_000],
      [there(6, tcp(40_000, 80, RST)), 40],
    );
    expect(problems).toEqual([]);
    expect(conversations).toEqual([
      {
        observer: 'default/a',
        protocol: 6,
        client: CLIENT,
        clientPort: 40_000,
        server: SERVER,
        serverPort: 80,
        bytes: 60 + 60 + 52 + 40,
        replyBytes: 60 + 9_000,
        opened: 1,
      },
    ]);
  });

  test('count ports used again as another opening', () => {
    const { conversations } = summarise(
      [there(6, tcp(40_000, 80, SYN, 1))],
      [back(6, tcp(80, 40_000, RST))],
      [there(6, tcp(40_000, 80, SYN, 999))],
    );
    expect(conversations).toMatchObject([{ opened: 2 }]);
  });

  test('refuse TCP whose beginning was not captured', () => {
    const { conversations, problems } = summarise([there(6, tcp(40_000, 80, ACK))]);
    expect(conversations).toEqual([]);
    expect(problems).toEqual(['default/a: TCP 10.0.0.1:40000 to 10.0.0.2:80 began unseen']);
  });

  test('add fragments to the exchange of their first', () => {
    const fragment = (offset: number, more: boolean, transport: Uint8Array): FrameParts => ({
      ...there(17, transport),
      fragment: { id: 7, offset, more },
    });
    const { conversations } = summarise(
      [fragment(0, true, udp(5000, 53)), 1_500],
      [fragment(1_480, false, new Uint8Array(8)), 300],
      [back(17, udp(53, 5000)), 40],
    );
    expect(conversations).toMatchObject([{ clientPort: 5000, bytes: 1_800, replyBytes: 40, opened: 1 }]);
  });

  test('tell of a fragment without its first', () => {
    const { problems } = summarise([
      { ...there(17, new Uint8Array(8)), fragment: { id: 7, offset: 1_480, more: false } },
    ]);
    expect(problems).toEqual(['default/a: a fragment from 10.0.0.1 came before its first']);
  });

  test('pair echo requests with their answers, each identifier an opening', () => {
    const { conversations } = summarise(
      [there(1, icmp(8, 0, 1)), 84],
      [back(1, icmp(0, 0, 1)), 84],
      [there(1, icmp(8, 0, 2)), 84],
      [back(1, icmp(8, 0, 2)), 100],
    );
    expect(conversations).toMatchObject([
      { client: CLIENT, clientPort: 8, server: SERVER, bytes: 168, replyBytes: 84, opened: 2 },
      { client: SERVER, clientPort: 8, server: CLIENT, bytes: 100, replyBytes: 0, opened: 1 },
    ]);
  });

  test('keep ICMP errors apart by direction', () => {
    const { conversations } = summarise([there(1, icmp(3, 3))], [back(1, icmp(3, 3))]);
    expect(conversations).toMatchObject([
      { client: CLIENT, clientPort: 3, serverPort: 3 },
      { client: SERVER, clientPort: 3, serverPort: 3 },
    ]);
  });
});

describe('a comparison', () => {
  const ends = { observer: 'a', protocol: 17, client: CLIENT, clientPort: 1, server: SERVER, serverPort: 53 };
  const table = (...changes: object[]) => {
    const made = new ConversationTable();
    for (const change of changes) Object.assign(made.open({ ...ends, ...change }), { bytes: 5, opened: 1 }, change);
    return made;
  };

  test('of the same finds nothing', () => {
    expect(differences(table({}), table({}))).toEqual([]);
  });

  test.for<[string, ConversationTable, ConversationTable, RegExp]>([
    ['missing', table({}), table(), /captured with 5 \+ 0 bytes, never told/],
    ['invented', table(), table({}), /told with 5 \+ 0 bytes, never captured/],
    ['a byte too few', table({}), table({ bytes: 4 }), /captured 5 \+ 0 bytes, told 4 \+ 0/],
    ['a byte in the wrong direction', table({}), table({ bytes: 4, replyBytes: 1 }), /told 4 \+ 1/],
    ['told twice', table({}), table({ opened: 2 }), /opened 1 times, told 2 times/],
  ])('finds what is %s', ([, captured, told, expected]) => {
    expect(differences(captured, told)).toEqual([expect.stringMatching(expected)]);
  });
});
