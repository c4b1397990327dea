import { DIRECTION, REPLY } from '#core/flow/direction.ts';
import { OBSERVATION } from '#core/flow/observation.ts';
import { isIcmp, PROTOCOL } from '#core/flow/protocol.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { flowKey, type ToldFlow } from '../flow-reader.ts';
import { ConversationTable } from './conversation.ts';

export interface ToldSummary {
  readonly conversations: ConversationTable;
  /** What no flow may say, whatever was captured. */
  readonly problems: string[];
}

/** Adds flows up to conversations, and checks each flow in itself. */
export function tellConversations(flows: Iterable<ToldFlow>): ToldSummary {
  const conversations = new ConversationTable();
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const flow of flows) {
    const say = (what: string) => problems.push(`${flowKey(flow)}: ${what}`);
    if (seen.has(flowKey(flow))) say('told twice');
    seen.add(flowKey(flow));
    // What is exchanged at a socket is not seen on the wire.
    if (flow.trigger === TRIGGER.TRANSLATION) continue;
    if (flow.verdict !== VERDICT.FORWARDED) say(`verdict ${flow.verdict}, and nothing here is dropped`);

    const leaving = flow.observation === OBSERVATION.TO_STACK;
    if (!leaving && flow.observation !== OBSERVATION.TO_ENDPOINT) say(`observation point ${flow.observation}`);
    const observer = leaving ? flow.source : flow.destination;
    if (observer.pod === '' || observer.namespace === '') say(`observed at ${observer.address}, which is no known pod`);
    if (observer.node !== '' && observer.node !== flow.boot.node) say(`told by ${flow.boot.node} for ${observer.node}`);

    if (flow.reply === REPLY.UNKNOWN) say('does not know who opened it, though its start was seen');
    const reply = flow.reply === REPLY.REPLY;
    const client = reply ? flow.destination : flow.source;
    const server = reply ? flow.source : flow.destination;
    const expected = observer === client ? DIRECTION.EGRESS : DIRECTION.INGRESS;
    if (flow.direction !== expected) say(`direction ${flow.direction} where the endpoint's is ${expected}`);

    const conversation = conversations.open({
      observer: `${observer.namespace}/${observer.pod}`,
      protocol: flow.protocol,
      client: client.address,
      clientPort: isIcmp(flow.protocol) ? originalType(flow) : reply ? flow.destinationPort : flow.sourcePort,
      server: server.address,
      serverPort: reply && !isIcmp(flow.protocol) ? flow.sourcePort : flow.destinationPort,
    });
    conversation.bytes += flow.bytesOriginal;
    conversation.replyBytes += flow.bytesReply;
    if (flow.trigger === TRIGGER.FIRST_PACKET && !reply) conversation.opened++;
  }
  return { conversations, problems };
}

/** The ICMP type of what the client sent: an answer carries its own. */
function originalType(flow: ToldFlow): number {
  if (flow.reply !== REPLY.REPLY) return flow.sourcePort;
  return flow.protocol === PROTOCOL.ICMPv4 ? 8 : 128;
}
