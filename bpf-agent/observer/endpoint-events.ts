import { AgentEventType } from '#proto/gen/flow/flow_pb.ts';
import type { EventInit } from './agent-event-log.ts';

/** An endpoint as far as its events name it. */
export interface EventEndpoint {
  readonly id: number;
  readonly namespace: string;
  readonly pod: string;
  readonly labels: readonly string[];
  /** The rules it is under in the kernel: another object when they were written anew; undefined where there are none. */
  readonly rules?: object;
  /** Why they could not be written; empty when they could. */
  readonly problem?: string;
}

/** Which endpoints came and went, and whose rules were written anew. */
export class EndpointEvents {
  #before: ReadonlyMap<string, EventEndpoint> = new Map();

  /** @param now by pod uid */
  update(now: ReadonlyMap<string, EventEndpoint>): EventInit[] {
    const events: EventInit[] = [];
    for (const [uid, endpoint] of this.#before) {
      if (now.get(uid)?.id !== endpoint.id) events.push(updated(AgentEventType.ENDPOINT_DELETED, endpoint));
    }
    for (const [uid, endpoint] of now) {
      const before = this.#before.get(uid);
      if (before?.id !== endpoint.id) events.push(updated(AgentEventType.ENDPOINT_CREATED, endpoint));
      else if (before.rules !== endpoint.rules || before.problem !== endpoint.problem)
        events.push(regenerated(endpoint));
    }
    this.#before = new Map(now);
    return events;
  }
}

function updated(type: AgentEventType, { id, namespace, pod, labels }: EventEndpoint): EventInit {
  const value = { id: BigInt(id), labels: [...labels], podName: pod, namespace };
  return { type, notification: { case: 'endpointUpdate', value } };
}

function regenerated({ id, labels, problem: error = '' }: EventEndpoint): EventInit {
  const { ENDPOINT_REGENERATE_SUCCESS, ENDPOINT_REGENERATE_FAILURE } = AgentEventType;
  const value = { id: BigInt(id), labels: [...labels], error };
  return {
    type: error === '' ? ENDPOINT_REGENERATE_SUCCESS : ENDPOINT_REGENERATE_FAILURE,
    notification: { case: 'endpointRegenerate', value },
  };
}
