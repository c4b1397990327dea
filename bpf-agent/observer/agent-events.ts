import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Policy } from '#core/policy/policy.ts';
import { AgentEventType } from '#proto/gen/flow/flow_pb.ts';
import type { GetAgentEventsRequest, GetAgentEventsResponse } from '#proto/gen/observer/observer_pb.ts';
import type { CallContext } from '#runtime/grpc/service.ts';
import { AddressEvents, type AddressOwnerEntry } from './address-events.ts';
import { AgentEventLog } from './agent-event-log.ts';
import { EndpointEvents, type EventEndpoint } from './endpoint-events.ts';
import { PolicyEvents } from './policy-events.ts';
import { type PlacedService, ServiceEvents } from './service-events.ts';

/** What happened to this agent: Hubble's agent events. It is told what there is now, and tells what has changed. */
export class AgentEvents {
  readonly #log: AgentEventLog;
  readonly #endpoints = new EndpointEvents();
  readonly #policies = new PolicyEvents();
  readonly #addresses = new AddressEvents();
  readonly #services = new ServiceEvents();

  /** @param nodeName `cluster/node` */
  constructor(nodeName: string) {
    this.#log = new AgentEventLog(nodeName);
  }

  started(atMs: number = Date.now()): void {
    const time = timestampFromMs(atMs);
    const event = {
      type: AgentEventType.AGENT_STARTED,
      notification: { case: 'agentStart', value: { time } },
    } as const;
    this.#log.add([event], atMs);
  }

  /** The endpoints there are now, by pod uid. */
  endpoints(now: ReadonlyMap<string, EventEndpoint>): void {
    this.#log.add(this.#endpoints.update(now));
  }

  /** The policies in force. */
  policies(now: readonly Policy[]): void {
    this.#log.add(this.#policies.update(now));
  }

  /** Who has which address, and where nodes are: see AddressEvents. */
  addresses(owners: ReadonlyMap<string, AddressOwnerEntry>, hostOf: (node: string, address: string) => string): void {
    this.#log.add(this.#addresses.update(owners, hostOf));
  }

  /** The frontends in the kernel's maps. */
  services(now: Iterable<PlacedService>): void {
    this.#log.add(this.#services.update(now));
  }

  /** Serves Hubble's GetAgentEvents. */
  read(request: GetAgentEventsRequest, context: CallContext): AsyncGenerator<GetAgentEventsResponse> {
    return this.#log.read(request, context);
  }
}
