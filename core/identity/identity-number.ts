import { sha256 } from '@noble/hashes/sha2.js';
import { byCodeUnits } from './label-set.ts';

/** Least identity computed from labels; they end below 0x8000_0000. */
const FIRST_LABEL_IDENTITY = 0x4000_0000;

/** True for identities computed from a label set, as opposed to reserved and CIDR ones. */
export function isLabelIdentity(identity: number): boolean {
  return identity >= FIRST_LABEL_IDENTITY && identity < 0x8000_0000;
}

/**
 * The number a label set asks for: 0x4000_0000 plus 30 bits of SHA-256 over its canonical text, the same on every node.
 *
 * @param attempt 0, then 1, 2, … while the number is taken by another label set
 */
export function identityNumber(canonicalText: string, attempt = 0): number {
  const digest = sha256(new TextEncoder().encode(attempt === 0 ? canonicalText : `${canonicalText}#${attempt}`));
  const word = ((digest[0] << 24) | (digest[1] << 16) | (digest[2] << 8) | digest[3]) >>> 0;
  return FIRST_LABEL_IDENTITY + (word >>> 2);
}

/**
 * Numbers for all label sets of a cluster at once, by canonical text. A pure function of the *set* of texts: where two
 * ask for one number, the text that sorts first keeps it and the other asks for its next, so nodes that know the same
 * cluster agree without talking to each other.
 *
 * @param number what a text asks for at an attempt; injected where a test wants collisions
 */
export function allocateIdentities(texts: Iterable<string>, number = identityNumber): Map<string, number> {
  const taken = new Set<number>();
  const numbers = new Map<string, number>();
  for (const text of [...new Set(texts)].sort(byCodeUnits)) {
    let candidate = number(text, 0);
    for (let attempt = 1; taken.has(candidate); attempt++) candidate = number(text, attempt);
    taken.add(candidate);
    numbers.set(text, candidate);
  }
  return numbers;
}

/** {@link identityNumber} that remembers first attempts, for repeated allocation over mostly the same label sets. */
export function rememberingIdentityNumber(): typeof identityNumber {
  let before = new Map<string, number>();
  let now = new Map<string, number>();
  return (text, attempt = 0) => {
    if (attempt > 0) return identityNumber(text, attempt);
    let known = now.get(text) ?? before.get(text);
    if (known === undefined) known = identityNumber(text);
    now.set(text, known);
    // Two generations bound it by what is in use, without a clock or a list of uses.
    if (now.size > 16_384) {
      before = now;
      now = new Map();
    }
    return known;
  };
}
