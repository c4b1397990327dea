import { BpfMap } from '../loader/map.ts';
import { type Codec, u32 } from '../loader/struct-codec.ts';
import type { StructTwin } from './struct-layout.ts';

/** Twin of `struct datapath_state` (bpf/identity.h). */
export interface DatapathState {
  readonly identityRevision: number;
  readonly policyRevision: number;
}

export const DATAPATH_STATE_TWIN: StructTwin = {
  struct: 'datapath_state',
  size: 8,
  fields: { identityRevision: [0, 4], policyRevision: [4, 4] },
};

const datapathState: Codec<DatapathState> = {
  size: DATAPATH_STATE_TWIN.size,
  encode: (value, into) => {
    into.setUint32(0, value.identityRevision, true);
    into.setUint32(4, value.policyRevision, true);
  },
  decode: (from) => ({ identityRevision: from.getUint32(0, true), policyRevision: from.getUint32(4, true) }),
};

/** What the programs compare a connection's cached facts with. */
export class DatapathStateMap {
  readonly #map: BpfMap<number, DatapathState>;

  constructor(fd: number) {
    this.#map = new BpfMap('state', fd, u32, datapathState);
  }

  get(): DatapathState {
    return this.#map.get(0)!;
  }

  /** Nothing was ever put in force with these maps. */
  get isNew(): boolean {
    const { identityRevision, policyRevision } = this.get();
    return identityRevision === 0 && policyRevision === 0;
  }

  /** Begins where no connection can have come from: what an earlier map was at is far from the clock. */
  begin(): void {
    const revision = Math.floor(Date.now() / 1000) >>> 0;
    this.#map.set(0, { identityRevision: revision, policyRevision: revision });
  }

  /** Makes known connections look their identities up again, each with its next record. Call after changing endpoints or identities. */
  bumpIdentityRevision(): void {
    const { identityRevision, policyRevision } = this.get();
    this.#map.set(0, { identityRevision: (identityRevision + 1) >>> 0, policyRevision });
  }

  /** The same, and makes each known connection be judged again with its next packet. Call after changing policy as well. */
  bump(): void {
    const { identityRevision, policyRevision } = this.get();
    this.#map.set(0, { identityRevision: (identityRevision + 1) >>> 0, policyRevision: (policyRevision + 1) >>> 0 });
  }

  setPolicyRevision(policyRevision: number): void {
    this.#map.set(0, { ...this.get(), policyRevision });
  }
}
