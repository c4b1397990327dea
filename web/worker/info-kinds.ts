import { REPLY } from '#core/flow/direction.ts';
import { dropReasonText } from '#core/flow/drop-reason.ts';
import { icmpText } from '#core/flow/icmp.ts';
import { isLayer7 } from '#core/flow/layer7.ts';
import { observations } from '#core/flow/observation.ts';
import { isIcmp } from '#core/flow/protocol.ts';
import { serviceReferenceText } from '#core/flow/service-reference.ts';
import { isTranslation } from '#core/flow/translation.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { policyName } from './flow-policy.ts';
import { TRIGGER_WORDS } from './flow-row.ts';
import type { PageWindow } from './page-window.ts';

/** Policies, or Services, with numbers of their own: with that of a head they make one number that is still exact. */
const MOST_NAMED = 2 ** 17;

/**
 * What the column "Info" begins with, as `rowInfo` writes it: each row is of one kind, worked out once per row, and kinds have
 * their place by their words.
 */
export function infoKinds(window: PageWindow, server: (slot: number) => number, slots: () => Iterable<number>) {
  const { columns } = window;
  const policy = (slot: number) => {
    const verdict = columns.verdict[slot];
    return verdict === VERDICT.DROPPED || verdict === VERDICT.AUDIT ? columns.policy[slot] : 0;
  };
  const policies = textNumbers((number) => (number === 0 ? '' : policyName(window.decisions.get(number))));
  const services = textNumbers((number) => {
    const { service } = window.endpoints.get(number);
    return service === undefined ? '' : serviceReferenceText(service);
  });
  const known = new Map<number, number>();
  const kinds: string[] = [];
  const ofSlot = new Uint32Array(window.capacity);
  let anyRequest = false;
  for (const slot of slots()) {
    const request = isLayer7(columns.observation[slot]);
    anyRequest ||= request;
    const named = request ? 0 : policies.number(policy(slot));
    const through = request ? 0 : services.number(server(slot));
    const number = (infoHead(columns, slot) * MOST_NAMED + named) * MOST_NAMED + through;
    let kind = known.get(number);
    if (kind === undefined) {
      const words = [infoHeadText(columns, slot), policies.texts[named] ?? '', services.texts[through] ?? ''];
      kind = kinds.push(words.join('\0').toLowerCase()) - 1;
      known.set(number, kind);
    }
    ofSlot[slot] = kind;
  }
  const rank = new Uint32Array(kinds.length);
  kinds
    .map((words, number) => ({ words, number }))
    .sort((a, b) => (a.words < b.words ? -1 : a.words > b.words ? 1 : 0))
    .forEach(({ number }, place) => {
      rank[number] = place;
    });
  return { rank, ofSlot, anyRequest };
}

/** Numbers of texts, from 0, where 0 stands for none: equal ones have the same, looked up once for each number asked for. */
function textNumbers(textOf: (number: number) => string) {
  const asked: number[] = [];
  const numbers = new Map([['', 0]]);
  const texts = [''];
  return {
    texts,
    number(of: number): number {
      let number = asked[of];
      if (number !== undefined) return number;
      const text = textOf(of);
      number = numbers.get(text) ?? Math.min(texts.push(text), MOST_NAMED) - 1;
      numbers.set(text, number);
      asked[of] = number;
      return number;
    },
  };
}

/** Equal for rows whose info begins with the same words; less than 2^18. */
function infoHead(columns: PageWindow['columns'], slot: number): number {
  const observation = columns.observation[slot];
  const verdict = columns.verdict[slot];
  const protocol = columns.protocol[slot];
  if (isLayer7(observation)) return 0;
  if (isTranslation(observation)) return 256 + observation;
  if (verdict === VERDICT.DROPPED) return 512 + columns.dropReason[slot];
  if (verdict === VERDICT.AUDIT && columns.policy[slot] !== 0) return 1;
  if (isIcmp(protocol)) {
    return (
      1024 + ((protocol & 1) << 16) + ((columns.sourcePort[slot] & 255) << 8) + (columns.destinationPort[slot] & 255)
    );
  }
  const trigger = columns.trigger[slot];
  if (TRIGGER_WORDS[trigger] !== undefined) return 16 + trigger;
  return columns.reply[slot] === REPLY.REPLY ? 2 : 0;
}

function infoHeadText(columns: PageWindow['columns'], slot: number): string {
  const observation = columns.observation[slot];
  const protocol = columns.protocol[slot];
  if (isLayer7(observation)) return '';
  if (isTranslation(observation)) return observations.name(observation);
  if (columns.verdict[slot] === VERDICT.DROPPED) return dropReasonText(columns.dropReason[slot]);
  if (columns.verdict[slot] === VERDICT.AUDIT && columns.policy[slot] !== 0) return 'would be dropped';
  if (isIcmp(protocol)) return icmpText(protocol, columns.sourcePort[slot], columns.destinationPort[slot]);
  return TRIGGER_WORDS[columns.trigger[slot]] ?? (columns.reply[slot] === REPLY.REPLY ? 'reply' : '');
}
