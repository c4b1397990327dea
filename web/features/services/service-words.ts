import type { FrontendFacts, ServiceFacts } from '../../worker/service-report.ts';

/** Backends that take new connections. */
export function readyCount({ backends }: FrontendFacts): number {
  return backends.filter(({ terminating, weight }) => !terminating && weight > 0).length;
}

/** Whether one of its addresses refuses every connection. */
export function refuses({ frontends }: ServiceFacts): boolean {
  return frontends.some((frontend) => readyCount(frontend) === 0);
}

/** `10.96.0.10`, `headless`, `example.org` */
export function addressWords({ clusterIps, externalName }: ServiceFacts): string {
  if (externalName !== '') return externalName;
  const addresses = clusterIps.filter((address) => address !== 'None' && address !== '');
  return addresses.length === 0 ? 'headless' : addresses.join(', ');
}

/** `3306/TCP, 53/UDP` */
export function portWords({ frontends }: ServiceFacts): string {
  return [...new Set(frontends.map(({ port, protocol }) => `${port}/${protocol}`))].join(', ');
}
