import { create } from '@bufbuild/protobuf';
import {
  HealthCheckResponseSchema,
  Health as HealthDescriptor,
  HealthCheckResponse_ServingStatus as Status,
} from '#proto/gen/grpc/health/v1/health_pb.ts';
import type { Health } from '../health.ts';
import { pause } from '../pause.ts';
import { Code, type Handlers, type ServedService, StatusError, service } from './service.ts';

const LOOK_EVERY_MS = 500;

/**
 * The standard health service. `names` are asked about by Check and Watch, beside the empty one for the server as a whole:
 * full names of services, and any other a tool asks for. All are SERVING while `health` is ready.
 */
export function healthService(health: Health, names: readonly string[]): ServedService {
  const known = new Set(['', ...names]);
  const status = (name: string) =>
    !known.has(name) ? Status.SERVICE_UNKNOWN : health.ready ? Status.SERVING : Status.NOT_SERVING;
  const answer = (value: Status) => create(HealthCheckResponseSchema, { status: value });
  const handlers: Handlers<typeof HealthDescriptor> = {
    check: async ({ service: name }) => {
      const value = status(name);
      if (value === Status.SERVICE_UNKNOWN) {
        throw new StatusError(Code.NOT_FOUND, `no service ${JSON.stringify(name.slice(0, 200))} is served here`);
      }
      return answer(value);
    },
    watch: async function* ({ service: name }, { signal }) {
      let told: Status | undefined;
      while (!signal.aborted) {
        const value = status(name);
        if (value !== told) yield answer(value);
        told = value;
        await pause(LOOK_EVERY_MS, signal);
      }
    },
  };
  return service(HealthDescriptor, handlers);
}
