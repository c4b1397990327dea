import { IPVersion } from '#proto/gen/flow/flow_pb.ts';
import { memoised } from '../../filter/endpoint-predicate.ts';
import { ipVersion } from '../../ip/address.ts';
import type { FilterPart } from './filter-part.ts';

/** `ip_version`; of a flow without addresses: IP_NOT_USED. */
export const ipVersionFilter: FilterPart = ({ ipVersion: wanted }, { endpoints }) => {
  if (wanted.length === 0) return [];
  const v4 = memoised(endpoints, ({ address }) => ipVersion(address) === 4);
  const v6 = memoised(endpoints, ({ address }) => ipVersion(address) === 6);
  return [
    ({ source, destination }, row) => {
      const from = source[row];
      const end = v4(from) || v6(from) ? from : destination[row];
      return wanted.includes(v6(end) ? IPVersion.IPv6 : v4(end) ? IPVersion.IPv4 : IPVersion.IP_NOT_USED);
    },
  ];
};
