import { useEffect } from 'react';
import type { ServiceReport } from '../worker/service-report.ts';
import { polling } from './polling.ts';
import { ask } from './session-client.ts';
import { createStore, useStore } from './store.ts';

const EVERY_MS = 2_000;

export interface ServiceState {
  /** Null until the server has answered. */
  readonly report: ServiceReport | null;
  /** Connections opened per second since the report before, by `service frontend backend`. */
  readonly rates: ReadonlyMap<string, number>;
  /** Why it is not, or no longer, kept up to date; empty when it is. */
  readonly problem: string;
}

const serviceStore = createStore<ServiceState>({ report: null, rates: new Map(), problem: '' });

/** Keeps the store up to date until the returned function is called. */
const watchServices = polling(
  EVERY_MS,
  async () => {
    const before = serviceStore.get().report;
    const report = await ask({ about: 'services' });
    serviceStore.set({ report, rates: ratesBetween(before, report), problem: '' });
  },
  (problem) => serviceStore.set({ ...serviceStore.get(), problem }),
);

/** Names a backend behind one address of a Service. */
export function rateKey(service: string, frontend: string, backend: string): string {
  return `${service} ${frontend} ${backend}`;
}

/** A count that fell was begun anew, as by an agent's restart: it tells no rate. */
function ratesBetween(before: ServiceReport | null, now: ServiceReport): Map<string, number> {
  const counts = before === null ? new Map<string, number>() : openedCounts(before);
  const seconds = before === null ? 0 : (now.atMs - before.atMs) / 1000;
  const rates = new Map<string, number>();
  if (seconds <= 0) return rates;
  for (const [key, count] of openedCounts(now)) {
    const known = counts.get(key);
    if (known !== undefined && count >= known) rates.set(key, (count - known) / seconds);
  }
  return rates;
}

function openedCounts({ services }: ServiceReport): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { key, frontends } of services) {
    for (const { text, backends } of frontends) {
      for (const backend of backends) counts.set(rateKey(key, text, backend.text), backend.opened);
    }
  }
  return counts;
}

/** What is known of Services, kept up to date while somebody looks. */
export function useServices(): ServiceState {
  useEffect(watchServices, []);
  return useStore(serviceStore);
}
