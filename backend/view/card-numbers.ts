import { cardName } from '#core/card/card-name.ts';
import type { EndpointStore } from '#core/flow/endpoint-store.ts';

/** The cards that endpoints belong to, as small numbers: the key of an endpoint is put together once. */
export class CardNumbers {
  readonly #endpoints: EndpointStore;
  readonly #perNode: boolean;
  readonly #keys: string[] = [];
  readonly #numbers = new Map<string, number>();
  // By endpoint number: its card, and the generation (plus one) it was looked up for.
  readonly #card: number[] = [];
  readonly #generation: number[] = [];

  constructor(endpoints: EndpointStore, perNode: boolean) {
    this.#endpoints = endpoints;
    this.#perNode = perNode;
  }

  numberOf(key: string): number {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#keys.push(key) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }

  /** Of an endpoint, by its number. */
  of(endpoint: number): number {
    const generation = this.#endpoints.generation(endpoint) + 1;
    if (this.#generation[endpoint] !== generation) {
      this.#generation[endpoint] = generation;
      this.#card[endpoint] = this.numberOf(cardName(this.#endpoints.get(endpoint), { perNode: this.#perNode }).key);
    }
    return this.#card[endpoint];
  }

  key(number: number): string {
    return this.#keys[number];
  }
}
