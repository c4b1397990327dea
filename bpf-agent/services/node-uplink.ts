import { isAddress, parseAddress } from '#core/ip/address.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import type { Datapath } from '../loader/datapath.ts';
import { LoaderError } from '../loader/loader-error.ts';
import { toDatapathAddress } from '../maps/address-bytes.ts';
import { listAddresses } from '../netlink/route-socket.ts';
import { ownExternalPorts } from './external-ports.ts';

/** Interfaces are looked for again this often, in seconds. */
const LOOK_EVERY = 10;
const LOOPBACK = 1;
const NONE = new Uint8Array(16);

export interface NodeUplinkOptions {
  readonly source: ClusterSource;
  readonly datapath: Pick<Datapath, 'maps' | 'attachUplinks'>;
  readonly node: string;
  /** Whether a Service is there for clients outside. */
  readonly wanted: () => boolean;
}

/**
 * The programs for clients outside are on the interfaces that have the node's own addresses, as long as there is a Service for
 * such clients: without one, no packet is asked about.
 */
export class NodeUplink {
  readonly #options: NodeUplinkOptions;
  #seconds = 0;
  #attached = false;
  #looked = false;
  #own = '';
  problem = '';

  constructor(options: NodeUplinkOptions) {
    this.#options = options;
    this.#look();
  }

  /** To be called every second. */
  settle(): void {
    if (this.#seconds++ % LOOK_EVERY === 0 || this.#options.wanted() !== this.#attached || this.problem !== '')
      this.#look();
  }

  #look(): void {
    const { source, wanted } = this.#options;
    // Not even the node's own addresses are known: what an earlier agent left stays.
    if (source.unread === true) return;
    try {
      if (wanted()) this.#attach();
      else if (this.#attached || !this.#looked) this.#detach();
      this.#looked = true;
    } catch (error) {
      if (!(error instanceof LoaderError)) throw error;
      this.problem = `clients outside: ${error.message}`;
    }
  }

  #attach(): void {
    const { source, node, datapath } = this.#options;
    const addresses = (source.get('Node', '', node)?.status.addresses ?? [])
      .filter(({ type, address }) => (type === 'InternalIP' || type === 'ExternalIP') && isAddress(address))
      .map(({ type, address }) => ({ internal: type === 'InternalIP', bytes: parseAddress(address) }));
    const hexes = new Set(addresses.map(({ bytes }) => hex(bytes)));
    const links = listAddresses().filter(({ linkIndex, address }) => linkIndex !== LOOPBACK && hexes.has(hex(address)));
    const internal = (size: number) => addresses.find((each) => each.internal && each.bytes.length === size)?.bytes;
    const [ipv4, ipv6] = [internal(4), internal(16)].map((bytes) => (bytes ? toDatapathAddress(bytes) : NONE));
    const { firstPort, ports, problem } = ownExternalPorts();
    const own = JSON.stringify([hex(ipv4!), hex(ipv6!), firstPort, ports]);
    if (own !== this.#own) datapath.maps.external.uplink.set(0, { ipv4: ipv4!, ipv6: ipv6!, firstPort, ports });
    this.#own = own;
    datapath.attachUplinks([...new Set(links.map(({ linkIndex }) => linkIndex))]);
    this.#attached = true;
    this.problem =
      links.length > 0 ? problem : `clients outside: no interface has an address of the Node object ${node}`;
  }

  #detach(): void {
    this.#options.datapath.attachUplinks([]);
    this.#attached = false;
    this.problem = '';
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
