import type { Frontend, FrontendKind } from '#core/service/service.ts';
import { AgentEventType } from '#proto/gen/flow/flow_pb.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import type { ServiceSync } from '../services/service-sync.ts';
import type { EventInit } from './agent-event-log.ts';

/** A frontend in the kernel's maps, and the traffic policies of its Service. */
export interface PlacedService {
  /** Its number in the kernel. */
  readonly id: number;
  readonly frontend: Frontend;
  readonly internalTrafficPolicy: string;
  readonly externalTrafficPolicy: string;
}

/** Which frontends were written into the kernel's maps, and which went: one event each, as Hubble has them. */
export class ServiceEvents {
  /** By number. */
  #before = new Map<number, { readonly placed: PlacedService; readonly text: string }>();

  update(services: Iterable<PlacedService>): EventInit[] {
    const events: EventInit[] = [];
    const now = new Map<number, { readonly placed: PlacedService; readonly text: string }>();
    for (const placed of services) {
      const before = this.#before.get(placed.id);
      const unchanged = before?.placed.frontend === placed.frontend;
      const text = unchanged ? before.text : JSON.stringify(placed);
      now.set(placed.id, { placed, text });
      if (before?.text !== text) events.push(upserted(placed));
    }
    for (const id of this.#before.keys()) {
      if (!now.has(id)) {
        events.push({
          type: AgentEventType.SERVICE_DELETED,
          notification: { case: 'serviceDelete', value: { id } },
        });
      }
    }
    this.#before = now;
    return events;
  }
}

/** What a node's load-balancing has in the kernel, each with its Service's traffic policies. */
export function* placedServices(
  sync: Pick<ServiceSync, 'placed'>,
  source: Pick<ClusterSource, 'get'>,
): Generator<PlacedService> {
  for (const { id, frontend } of sync.placed()) {
    const spec = source.get('Service', frontend.namespace, frontend.service)?.spec;
    const { internalTrafficPolicy = '', externalTrafficPolicy = '' } = spec ?? {};
    yield { id, frontend, internalTrafficPolicy, externalTrafficPolicy };
  }
}

const TYPES: Readonly<Record<FrontendKind, string>> = {
  'cluster-ip': 'ClusterIP',
  'node-port': 'NodePort',
  'external-ip': 'ExternalIPs',
  'load-balancer': 'LoadBalancer',
};

function upserted({ id, frontend, internalTrafficPolicy, externalTrafficPolicy }: PlacedService): EventInit {
  const value = {
    id,
    frontendAddress: { ip: frontend.address, port: frontend.port },
    backendAddresses: frontend.backends.map(({ address, port }) => ({ ip: address, port })),
    type: TYPES[frontend.kind],
    name: frontend.service,
    namespace: frontend.namespace,
    extTrafficPolicy: externalTrafficPolicy,
    intTrafficPolicy: internalTrafficPolicy,
  };
  return { type: AgentEventType.SERVICE_UPSERTED, notification: { case: 'serviceUpsert', value } };
}
