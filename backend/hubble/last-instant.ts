import type { Timestamp } from '@bufbuild/protobuf/wkt';

/** The time of the newest flow, at which a broken stream is resumed, and which flows of that very instant have been seen. */
export class LastInstant {
  #time: Timestamp | undefined;
  #ids = new Set<string>();

  /** Undefined until a flow has come. */
  get time(): Timestamp | undefined {
    return this.#time;
  }

  /** False of a flow that has come before: after a resumption those of the last instant come again. */
  isNew(uuid: string, time: Timestamp | undefined): boolean {
    if (time === undefined || uuid === '') return true;
    const order = this.#time === undefined ? 1 : compare(time, this.#time);
    if (order > 0) {
      this.#time = time;
      this.#ids = new Set([uuid]);
    } else if (order === 0) {
      if (this.#ids.has(uuid)) return false;
      this.#ids.add(uuid);
    }
    return true;
  }
}

function compare(a: Timestamp, b: Timestamp): number {
  if (a.seconds !== b.seconds) return a.seconds > b.seconds ? 1 : -1;
  return a.nanos - b.nanos;
}
