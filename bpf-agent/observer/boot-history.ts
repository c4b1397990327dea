/** A former life of this node's agent. */
export interface PastBoot {
  readonly bootId: bigint;
  /** Of its last flow; sequences count from 1. */
  readonly lastSequence: number;
  /** When it was last known to run, milliseconds since 1970. */
  readonly aliveAt: number;
}

/** Boots remembered: a reader away for longer than these learns of less than it missed. */
const MOST_BOOTS = 64;

/** The node's former boots, oldest first: what tells a returning reader how many flows it will never get. */
export class BootHistory {
  readonly boots: readonly PastBoot[];

  constructor(boots: readonly PastBoot[]) {
    this.boots = boots.slice(-MOST_BOOTS);
  }

  /** The history with one more boot; a boot already in it is brought up to date. */
  with(boot: PastBoot): BootHistory {
    return new BootHistory([...this.boots.filter(({ bootId }) => bootId !== boot.bootId), boot]);
  }

  /**
   * Flows of former boots that a reader which stands at `sequence` of `bootId` has not got, and since when. A boot that is
   * not remembered counts as older than all that are.
   */
  missedAfter(bootId: bigint, sequence: number): { count: number; firstMs: number } {
    const index = this.boots.findIndex((boot) => boot.bootId === bootId);
    const later = this.boots.slice(index + 1);
    let count = later.reduce((sum, boot) => sum + boot.lastSequence, 0);
    if (index >= 0) count += Math.max(0, this.boots[index].lastSequence - sequence);
    return { count, firstMs: (this.boots[index] ?? later[0])?.aliveAt ?? 0 };
  }

  toJson(): string {
    return `${JSON.stringify(this.boots.map(({ bootId, ...rest }) => ({ bootId: bootId.toString(16), ...rest })))}\n`;
  }

  /** Reads what `toJson` wrote. Anything else gives an empty history: better than no agent. */
  static fromJson(text: string): BootHistory {
    try {
      const boots = (JSON.parse(text) as { bootId: string; lastSequence: number; aliveAt: number }[]).map((boot) => ({
        bootId: BigInt(`0x${boot.bootId}`),
        lastSequence: wholeNumber(boot.lastSequence),
        aliveAt: wholeNumber(boot.aliveAt),
      }));
      return new BootHistory(boots);
    } catch {
      return new BootHistory([]);
    }
  }
}

function wholeNumber(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new TypeError(`${value} is not a whole number`);
  return value as number;
}
