import { type Endpoint, endpointKey, NO_ENDPOINT } from './endpoint.ts';

/** Endpoint number 0 stands for "no endpoint" in every store. */
export const NO_ENDPOINT_NUMBER = 0;

/**
 * Endpoints by number, shared by every flow that is held. Each held row counts as two references; an endpoint nobody
 * refers to any more gives its number back, so that the store is bounded by what is held and not by what has been seen.
 */
export class EndpointStore {
  readonly #endpoints: (Endpoint | undefined)[] = [NO_ENDPOINT];
  readonly #keys: string[] = [endpointKey(NO_ENDPOINT)];
  readonly #byKey = new Map<string, number>([[this.#keys[0], NO_ENDPOINT_NUMBER]]);
  #references = new Uint32Array(1024);
  #generations = new Uint32Array(1024);
  readonly #free: number[] = [];

  /** How many endpoints are held. */
  get size(): number {
    return this.#byKey.size;
  }

  /** One more than the greatest number ever given: the length of an array indexed by endpoint number. */
  get bound(): number {
    return this.#endpoints.length;
  }

  /**
   * The number of an endpoint equal to this one, a new one if need be. The number is good until its last reference is
   * released; a number never retained stays until `release` is called for it once.
   */
  intern(endpoint: Endpoint): number {
    const key = endpointKey(endpoint);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const number = this.#free.pop() ?? this.#endpoints.length;
    if (number >= this.#references.length) this.#grow();
    this.#endpoints[number] = endpoint;
    this.#keys[number] = key;
    this.#byKey.set(key, number);
    this.#references[number] = 0;
    this.#generations[number]++;
    return number;
  }

  get(number: number): Endpoint {
    const endpoint = this.#endpoints[number];
    if (endpoint === undefined) throw new RangeError(`endpoint ${number} is not held`);
    return endpoint;
  }

  /** Changes whenever the number comes to stand for another endpoint: caches by number compare it. */
  generation(number: number): number {
    return this.#generations[number];
  }

  retain(number: number): void {
    this.#references[number]++;
  }

  /** Gives back one reference; the last one frees the number. */
  release(number: number): void {
    if (number === NO_ENDPOINT_NUMBER) return;
    if (this.#references[number] > 1) {
      this.#references[number]--;
      return;
    }
    if (this.#endpoints[number] === undefined) return;
    this.#references[number] = 0;
    this.#byKey.delete(this.#keys[number]);
    this.#endpoints[number] = undefined;
    this.#keys[number] = '';
    this.#free.push(number);
  }

  #grow(): void {
    const references = new Uint32Array(this.#references.length * 2);
    references.set(this.#references);
    this.#references = references;
    const generations = new Uint32Array(this.#generations.length * 2);
    generations.set(this.#generations);
    this.#generations = generations;
  }
}
