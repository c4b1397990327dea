import { parseCidr } from '#core/ip/cidr.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { toDatapathAddress, toDatapathPrefix } from '../maps/address-bytes.ts';
import type { ServiceMaps } from '../maps/services.ts';

/** Keeps the kernel's ranges of Services' addresses at what the cluster's ServiceCIDRs say. */
export class ServiceRanges {
  readonly #source: ClusterSource;
  readonly #ranges: ServiceMaps['ranges'];
  /** What the map holds, by the key's hex. */
  readonly #held: Map<string, Uint8Array>;
  #withdrawn = false;

  constructor(source: ClusterSource, ranges: ServiceMaps['ranges']) {
    this.#source = source;
    this.#ranges = ranges;
    this.#held = new Map([...ranges.keys()].map((key) => [hex(key), key]));
  }

  /** There are none from now on: an address of a Service that nobody translates here is for others (kube-proxy) to serve. */
  withdraw(): void {
    this.#withdrawn = true;
    for (const key of this.#held.values()) this.#ranges.delete(key);
    this.#held.clear();
  }

  /** As long as the state is unread none goes: it only seems to be there no more. */
  update(): void {
    if (this.#withdrawn) return;
    const wanted = new Map<string, Uint8Array>();
    for (const { spec } of this.#source.list('ServiceCIDR')) {
      for (const text of spec.cidrs) {
        const key = rangeKey(text);
        if (key !== undefined) wanted.set(hex(key), key);
      }
    }
    for (const [text, key] of wanted) {
      if (!this.#held.has(text)) this.#ranges.set(key, 1);
      this.#held.set(text, key);
    }
    if (this.#source.unread === true) return;
    for (const [text, key] of [...this.#held]) {
      if (wanted.has(text)) continue;
      this.#ranges.delete(key);
      this.#held.delete(text);
    }
  }
}

/** The key of the trie: prefix length as u32 in host order, then the address in 16 bytes. */
function rangeKey(text: string): Uint8Array | undefined {
  const cidr = parseCidr(text);
  if (cidr === undefined) return undefined;
  const key = new Uint8Array(20);
  new DataView(key.buffer).setUint32(0, toDatapathPrefix(cidr.bytes, cidr.length), true);
  key.set(toDatapathAddress(cidr.bytes), 4);
  return key;
}

function hex(key: Uint8Array): string {
  return Buffer.from(key).toString('hex');
}
