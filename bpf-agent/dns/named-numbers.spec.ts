import { expect, it } from 'vitest';
import { KnownNames } from '#core/dns/known-names.ts';
import { NO_ENDPOINT } from '#core/flow/endpoint.ts';
import { EndpointStore } from '#core/flow/endpoint-store.ts';
import { NamedNumbers } from './named-numbers.ts';

const BANK = { ...NO_ENDPOINT, address: '198.51.100.7', identity: 2 };
const pod = (namespace: string, name: string) => ({ ...NO_ENDPOINT, identity: 1_000, namespace, pod: name });

function known() {
  const store = new EndpointStore();
  const held = (endpoint: typeof BANK) => {
    const number = store.intern(endpoint);
    store.retain(number);
    return number;
  };
  const names = new KnownNames();
  return { store, held, names, numbers: new NamedNumbers(store, names) };
}

it('gives an address the names of the namespace whose pod talks to it', () => {
  const { store, held, names, numbers } = known();
  const [bank, web, runner] = [held(BANK), held(pod('shop', 'web')), held(pod('payroll', 'runner'))];
  expect(numbers.any).toBe(false);
  names.learn('shop', BANK.address, 'bank.example', 30, 0);
  expect(numbers.any).toBe(true);
  const named = numbers.number(bank, web, 1);
  expect(store.get(named)).toEqual({ ...BANK, names: ['bank.example'] });
  expect(numbers.number(bank, web, 1)).toBe(named);
  expect(numbers.number(bank, runner, 1)).toBe(bank);
  // Nobody in the cluster is called by what a DNS server says of their address.
  names.learn('shop', '10.0.0.9', 'evil.example', 30, 0);
  const cart = held({ ...pod('shop', 'cart'), address: '10.0.0.9' });
  expect(numbers.number(cart, web, 1)).toBe(cart);
});

it('follows names as they come and go, and keeps those that are used', () => {
  const { store, held, names, numbers } = known();
  const [bank, web] = [held(BANK), held(pod('shop', 'web'))];
  expect(numbers.number(bank, web, 1)).toBe(bank);
  names.learn('shop', BANK.address, 'bank.example', 30, 0);
  names.learn('shop', BANK.address, 'www.bank.example', 30, 0);
  expect(store.get(numbers.number(bank, web, 1)).names).toEqual(['bank.example', 'www.bank.example']);
  numbers.at(7_000_000);
  numbers.number(bank, web, 1);
  names.expire(8_000_000);
  expect(store.get(numbers.number(bank, web, 1)).names).toHaveLength(2);
  names.expire(20_000_000);
  expect(numbers.number(bank, web, 1)).toBe(bank);
});

it('lets go of all it held when numbers may stand for others', () => {
  const { store, held, names, numbers } = known();
  const [bank, web] = [held(BANK), held(pod('shop', 'web'))];
  names.learn('shop', BANK.address, 'bank.example', 30, 0);
  numbers.number(bank, web, 1);
  names.learn('shop', BANK.address, 'www.bank.example', 30, 0);
  numbers.number(bank, web, 1);
  // None, the two, and the address with both names; with one of them it is no longer held.
  expect(store.size).toBe(4);
  store.release(bank);
  store.release(web);
  // Until it is asked again, what it was asked with stands for nobody else.
  expect(store.holds(bank) && store.holds(web)).toBe(true);
  const [other, cart] = [held({ ...BANK, address: '198.51.100.8' }), held(pod('shop', 'cart'))];
  expect(numbers.number(other, cart, 2)).toBe(other);
  expect(store.holds(bank) || store.holds(web)).toBe(false);
  expect(store.size).toBe(3);
});
