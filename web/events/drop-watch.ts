import { formatCount } from '../format/quantity.ts';
import type { PageEvent } from './event.ts';

/** Where packets are dropped, and how many a minute. */
export interface DroppingEdge {
  /** `reviews to maindb port 3306` */
  readonly words: string;
  readonly perMinute: number;
}

/** Fewer drops a minute than this are no burst, however few there were before. */
const LEAST_PER_MINUTE = 30;
/** A burst is that much more than usual. */
const TIMES_USUAL = 3;
/** The usual follows what is, slowly: about three minutes to get used to a new level. */
const FOLLOW = 0.02;
/** Called about once a second: that many calls teach what is usual before anything counts as a burst. */
const LEARN = 5;

/** Tells the beginning of a burst of drops, once; the next can come when drops have gone back to what is usual. */
export class DropWatch {
  #usual = 0;
  #seen = 0;
  #inBurst = false;

  /** To be called about once a second. */
  next(edges: readonly DroppingEdge[], at: number): PageEvent[] {
    const perMinute = edges.reduce((sum, edge) => sum + edge.perMinute, 0);
    if (this.#seen < LEARN) {
      this.#seen++;
      this.#usual = Math.max(this.#usual, perMinute);
      return [];
    }
    const most = Math.max(LEAST_PER_MINUTE, this.#usual * TIMES_USUAL);
    this.#usual += (perMinute - this.#usual) * FOLLOW;
    const begins = !this.#inBurst && perMinute >= most;
    if (begins) this.#inBurst = true;
    else if (perMinute < most / 2) this.#inBurst = false;
    if (!begins) return [];
    const worst = edges.toSorted((a, b) => b.perMinute - a.perMinute);
    const more = worst.length - 2;
    const text = worst
      .slice(0, 2)
      .map((edge) => `${edge.words}: ${formatCount(edge.perMinute)}/min`)
      .join('; ');
    return [
      {
        at,
        tone: 'bad',
        title: `${formatCount(perMinute)} drops a minute`,
        text: more > 0 ? `${text}; and ${more} more` : text,
      },
    ];
  }

  /** Another view: what was usual there means nothing here. */
  reset(): void {
    this.#usual = 0;
    this.#seen = 0;
    this.#inBurst = false;
  }
}
