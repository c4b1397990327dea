import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Endpoint, NO_ENDPOINT } from './endpoint.ts';
import { EndpointStore, NO_ENDPOINT_NUMBER } from './endpoint-store.ts';

function endpoint(index: number): Endpoint {
  return { ...NO_ENDPOINT, address: `10.0.${index >> 8}.${index & 255}`, identity: 2, labels: ['reserved:world'] };
}

describe('endpoint store', () => {
  it('gives equal endpoints one number', () => {
    const store = new EndpointStore();
    expect(store.intern(NO_ENDPOINT)).toBe(NO_ENDPOINT_NUMBER);
    const number = store.intern(endpoint(1));
    expect(store.intern({ ...endpoint(1), labels: ['reserved:world'] })).toBe(number);
    expect(store.intern({ ...endpoint(1), pod: 'web' })).not.toBe(number);
    expect(store.get(number)).toEqual(endpoint(1));
  });

  it('does not take one part of an endpoint for another', () => {
    const store = new EndpointStore();
    expect(store.intern({ ...NO_ENDPOINT, labels: ['a', 'b'] })).not.toBe(
      store.intern({ ...NO_ENDPOINT, labels: ['a'], names: ['b'] }),
    );
    expect(store.intern({ ...NO_ENDPOINT, namespace: 'a' })).not.toBe(store.intern({ ...NO_ENDPOINT, pod: 'a' }));
  });

  it('frees a number with its last reference and tells by the generation that it stands for another', () => {
    const store = new EndpointStore();
    const number = store.intern(endpoint(1));
    const generation = store.generation(number);
    store.retain(number);
    store.retain(number);
    store.release(number);
    expect(store.get(number)).toEqual(endpoint(1));
    store.release(number);
    expect(() => store.get(number)).toThrow(RangeError);
    expect(store.intern(endpoint(2))).toBe(number);
    expect(store.generation(number)).not.toBe(generation);
  });

  it('keeps "no endpoint" whatever is released', () => {
    const store = new EndpointStore();
    store.release(NO_ENDPOINT_NUMBER);
    expect(store.get(NO_ENDPOINT_NUMBER)).toEqual(NO_ENDPOINT);
  });

  it('holds exactly what is referred to, over any run of events', () => {
    const event = fc.tuple(fc.constantFrom('retain', 'release'), fc.nat(5));
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), (events) => {
        const store = new EndpointStore();
        const held = new Map<number, { number: number; references: number }>();
        for (const [kind, index] of events) {
          const entry = held.get(index);
          if (kind === 'retain') {
            const number = store.intern(endpoint(index));
            if (entry !== undefined) expect(number).toBe(entry.number);
            store.retain(number);
            held.set(index, { number, references: (entry?.references ?? 0) + 1 });
          } else if (entry !== undefined) {
            store.release(entry.number);
            if (--entry.references === 0) held.delete(index);
          }
          expect(store.size).toBe(held.size + 1);
          for (const [index, { number }] of held) expect(store.get(number)).toEqual(endpoint(index));
        }
        expect(store.bound).toBeLessThanOrEqual(7);
      }),
    );
  });

  it('grows past its first thousand', () => {
    const store = new EndpointStore();
    for (let index = 0; index < 5000; index++) store.retain(store.intern(endpoint(index)));
    expect(store.size).toBe(5001);
    for (let index = 0; index < 5000; index++) store.release(store.intern(endpoint(index)));
    expect(store.size).toBe(1);
  });
});
