import type { ServiceView } from './resolve-service.ts';
import type { Frontend, ServiceObject, SliceObject } from './service.ts';

/** Endpoints of a frontend's port that get no connection from a node, each with why: one sentence each. */
export function exclusions(
  service: ServiceObject,
  slices: readonly SliceObject[],
  view: ServiceView,
  frontend: Frontend,
): string[] {
  const taken = new Set(frontend.backends.map(({ address }) => address));
  const local = frontend.kind === 'cluster-ip' && service.spec.internalTrafficPolicy === 'Local';
  const port = service.spec.ports.find(({ name }) => name === frontend.portName);
  const said: string[] = [];
  for (const slice of slices) {
    if ((slice.addressType === 'IPv6') !== frontend.address.includes(':')) continue;
    const serves = slice.ports.some(({ name, protocol }) => name === frontend.portName && protocol === port?.protocol);
    for (const { addresses, pod, ready, serving, terminating, nodeName, zones } of slice.endpoints) {
      const [address = ''] = addresses;
      if (taken.has(address)) continue;
      const who = pod === '' ? address : `${pod} (${address})`;
      if (!serves) said.push(`${who} is left out: it has no port "${frontend.portName}".`);
      else if (local && nodeName !== view.node) {
        said.push(`${who} is left out: it runs on ${nodeName || 'no node'}, and internalTrafficPolicy is Local.`);
      } else if (!ready && !service.spec.publishNotReadyAddresses) {
        const why = terminating
          ? 'it is terminating'
          : serving
            ? 'it is not ready'
            : 'it is not ready and does not serve';
        said.push(`${who} is left out: ${why}.`);
      } else if (zones.length > 0)
        said.push(`${who} is left out: its hints are for ${zones.join(', ')}, not ${view.zone}.`);
    }
  }
  return said;
}
