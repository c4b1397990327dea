import { BpfMap } from '../loader/map.ts';
import { type Codec, u32 } from '../loader/struct-codec.ts';
import type { StructTwin } from './struct-layout.ts';

/** Twin of `struct endpoint` (bpf/endpoint.h): whose interface it is. */
export interface EndpointEntry {
  /** Node-local endpoint number, never 0. */
  readonly id: number;
  /** Security identity of the pod's label set. */
  readonly identity: number;
}

export const ENDPOINT_TWIN: StructTwin = { struct: 'endpoint', size: 8, fields: { id: [0, 4], identity: [4, 4] } };

const endpoint: Codec<EndpointEntry> = {
  size: ENDPOINT_TWIN.size,
  encode: (value, into) => {
    into.setUint32(0, value.id, true);
    into.setUint32(4, value.identity, true);
  },
  decode: (from) => ({ id: from.getUint32(0, true), identity: from.getUint32(4, true) }),
};

/** Interface index of the host side of a pod's veth → endpoint. */
export type EndpointMap = BpfMap<number, EndpointEntry>;

export function endpointMap(fd: number): EndpointMap {
  return new BpfMap('endpoints', fd, u32, endpoint);
}
