import type { Workload } from '#proto/gen/flow/flow_pb.ts';
import { sidedPart } from './filter-part.ts';

/** `source_workload`, `destination_workload`: by name, kind, or both. */
export const workloadFilter = sidedPart<Workload>(
  ({ sourceWorkload, destinationWorkload }) => ({ source: sourceWorkload, destination: destinationWorkload }),
  { source: 'source_workload', destination: 'destination_workload' },
  (values) =>
    ({ workloadName, workloadKind }) =>
      workloadName !== '' &&
      values.some(({ name, kind }) => (name === '' || name === workloadName) && (kind === '' || kind === workloadKind)),
);
