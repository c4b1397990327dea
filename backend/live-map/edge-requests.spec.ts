import { expect, it } from 'vitest';
import { EdgeRequests, NO_REQUESTS } from './edge-requests.ts';

const NOW = 1_000_000;

it('tells nothing of edges without requests', () => {
  expect(new EdgeRequests().recent(7, NOW)).toEqual(NO_REQUESTS);
});

it('counts requests, answers and failures of the last 10 s, at the server’s end where it tells', () => {
  const requests = new EdgeRequests();
  for (const atServer of [false, true]) {
    requests.add(3, NOW, atServer, true, false, false, 0);
    requests.add(3, NOW, atServer, false, true, false, 1_000);
  }
  requests.add(3, NOW - 4, true, false, true, true, 1_000);
  requests.add(3, NOW - 10, true, false, true, true, 1_000);
  expect(requests.recent(3, NOW)).toMatchObject({ requests: 2, answers: 2, failures: 1 });
  // The server's end falls silent, the client's goes on.
  requests.add(3, NOW + 20, false, true, true, false, 5_000);
  expect(requests.recent(3, NOW + 20)).toMatchObject({ requests: 1, answers: 1, failures: 0 });
  requests.clear(3);
  expect(requests.recent(3, NOW + 20)).toEqual(NO_REQUESTS);
});

it('tells half and 99 % of latencies within a tenth', () => {
  const requests = new EdgeRequests();
  for (let index = 1; index <= 1_000; index++)
    requests.add(1, NOW - (index % 10), true, false, true, false, index * 100);
  const { p50Micros, p99Micros } = requests.recent(1, NOW);
  expect(Math.abs(p50Micros / 50_000 - 1)).toBeLessThan(0.1);
  expect(Math.abs(p99Micros / 99_000 - 1)).toBeLessThan(0.1);
  requests.add(2, NOW, true, false, true, false, 3);
  requests.add(4, NOW, true, false, true, false, 1e12);
  expect(requests.recent(2, NOW).p99Micros).toBeLessThan(20);
  expect(requests.recent(4, NOW).p99Micros).toBeGreaterThan(60e6);
});
