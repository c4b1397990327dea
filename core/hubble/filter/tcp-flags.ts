import type { TCPFlags } from '#proto/gen/flow/flow_pb.ts';
import { PROTOCOL } from '../../flow/protocol.ts';
import { TCP_FLAG, type TcpFlagName } from '../../flow/tcp-flags.ts';
import type { FilterPart } from './filter-part.ts';

/** `tcp_flags`: every flag that is set must be there; others may be. Segments without any flag are none of these. */
export const tcpFlagsFilter: FilterPart = ({ tcpFlags: wanted }) => {
  if (wanted.length === 0) return [];
  const masks = wanted.flatMap(maskOf);
  return [
    ({ protocol, tcpFlags }, row) => {
      const flags = tcpFlags[row];
      if (protocol[row] !== PROTOCOL.TCP || flags === 0) return false;
      for (const mask of masks) if ((flags & mask) === mask) return true;
      return false;
    },
  ];
};

/** The NS bit is not in the byte that flows hold: what asks for it holds for none. */
function maskOf(flags: TCPFlags): number[] {
  if (flags.NS) return [];
  return [
    (Object.keys(TCP_FLAG) as TcpFlagName[]).reduce((mask, name) => mask | (flags[name] ? TCP_FLAG[name] : 0), 0),
  ];
}
