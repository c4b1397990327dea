import { formatAddress, isAddress, parseAddress } from '../ip/address.ts';
import { endpointField } from './filter-field.ts';

/** An address is a range of one. Bits after the prefix are zero. */
interface AddressRange {
  readonly bytes: Uint8Array;
  readonly prefix: number;
}

export const ipField = endpointField<AddressRange>({
  name: 'ip',
  doc: 'an address or a range of them',
  example: 'ip=10.0.0.0/8',
  parse(text) {
    const slash = text.indexOf('/');
    const address = slash < 0 ? text : text.slice(0, slash);
    if (!isAddress(address)) return { problem: `"${address}" is not an IP address` };
    const bytes = parseAddress(address);
    const most = bytes.length * 8;
    const length = slash < 0 ? String(most) : text.slice(slash + 1);
    // A mapped IPv6 range is written with IPv6's bits.
    const mapped = slash >= 0 && bytes.length === 4 && address.includes(':') ? 96 : 0;
    if (!/^\d{1,3}$/.test(length) || Number(length) - mapped > most || Number(length) < mapped) {
      return { problem: `"/${length}" is not a prefix length of this address: 0 to ${most} is possible` };
    }
    const prefix = Number(length) - mapped;
    return { value: { bytes: masked(bytes, prefix), prefix } };
  },
  print({ bytes, prefix }) {
    return prefix === bytes.length * 8 ? formatAddress(bytes) : `${formatAddress(bytes)}/${prefix}`;
  },
  list: ({ address }) => (address === '' ? [] : [address]),
  matcher({ bytes, prefix }) {
    return (endpoint) => {
      if (endpoint.address === '') return false;
      const address = parseAddress(endpoint.address);
      if (address.length !== bytes.length) return false;
      const inRange = masked(address, prefix);
      return bytes.every((byte, index) => byte === inRange[index]);
    };
  },
});

function masked(bytes: Uint8Array, prefix: number): Uint8Array {
  return bytes.map((byte, index) => byte & (0xff << Math.min(8, Math.max(0, 8 * (index + 1) - prefix))));
}
