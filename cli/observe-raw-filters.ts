import { create, type MessageInitShape, toJson } from '@bufbuild/protobuf';
import { FlowFilterSchema } from '#proto/gen/flow/flow_pb.ts';
import { GetFlowsRequestSchema } from '#proto/gen/observer/observer_pb.ts';

/** Prints a request's filters as they can be given to --allowlist and --denylist. */
export function printRawFilters(init: MessageInitShape<typeof GetFlowsRequestSchema>): void {
  const { whitelist, blacklist } = create(GetFlowsRequestSchema, init);
  for (const [name, filters] of [
    ['allowlist', whitelist],
    ['denylist', blacklist],
  ] as const) {
    if (filters.length === 0) continue;
    console.log(`${name}:`);
    for (const filter of filters) {
      console.log(`    - '${JSON.stringify(toJson(FlowFilterSchema, filter, { useProtoFieldName: true }))}'`);
    }
  }
}
