/** Counting the kernel's nf_tables rules, which nftables and today's iptables write alike. */
import { setImmediate as breathe } from 'node:timers/promises';
import { closeFd, NETLINK, openNetlinkSocket, receiveOn, sendOn } from '../loader/libc.ts';
import { LoaderError } from '../loader/loader-error.ts';
import { encodeRequest, errorOf, NLMSG, parseAttributes, parseMessages, stringOf } from './message.ts';

export const NFPROTO = { IPV4: 2, IPV6: 10 } as const;
export type PacketFamily = (typeof NFPROTO)[keyof typeof NFPROTO];

const NFTABLES = 10 << 8;
const NEWRULE = NFTABLES | 6;
const GETRULE = NFTABLES | 7;
const NFTA_RULE = { TABLE: 1, CHAIN: 2 } as const;
const REQUEST_DUMP = 0x301;
const RECEIVE_BYTES = 64 * 1024;
/** A kernel without it: there is no such protocol, or nobody answers there. */
const ABSENT = [22, 93, 95, 111]; // EINVAL, EPROTONOSUPPORT, EOPNOTSUPP, ECONNREFUSED

/**
 * Rules of a table's chains of this form, in this thread's network namespace; 0 where there is no such table.
 * @throws LoaderError `netlink-failed` when the kernel does not tell.
 */
export async function countNftablesRules(family: PacketFamily, table: string, chain: RegExp): Promise<number> {
  const { value: fd, errno } = openNetlinkSocket(NETLINK.NETFILTER, 0);
  if (fd < 0) return absentOr('cannot ask for packet filter rules', errno);
  try {
    const sent = sendOn(fd, encodeRequest(GETRULE, REQUEST_DUMP, 1, ruleQuery(family, table)));
    if (sent.value < 0) return absentOr('cannot ask for packet filter rules', sent.errno);
    const buffer = new Uint8Array(RECEIVE_BYTES);
    let rules = 0;
    for (;;) {
      // The kernel answers a dump within the calls themselves: there is always a datagram until the last.
      const { value, errno } = receiveOn(fd, buffer);
      if (value < 0) throw new LoaderError('netlink-failed', 'cannot read packet filter rules', errno);
      for (const { type, payload } of parseMessages(buffer.subarray(0, Math.min(value, buffer.length)))) {
        if (type === NLMSG.DONE) return rules;
        if (type === NLMSG.ERROR) return absentOr('the kernel does not tell its packet filter rules', errorOf(payload));
        if (type !== NEWRULE || payload[0] !== family) continue;
        const attributes = parseAttributes(payload.subarray(4));
        if (stringOf(attributes.get(NFTA_RULE.TABLE)) !== table) continue;
        if (chain.test(stringOf(attributes.get(NFTA_RULE.CHAIN)))) rules++;
      }
      // 30,000 rules come in some 750 of them, in 0.4 s: others are served in between.
      await breathe();
    }
  } finally {
    closeFd(fd);
  }
}

/** struct nfgenmsg, and the table's name as an attribute: kernels that know how leave out the others. */
function ruleQuery(family: number, table: string): Uint8Array {
  const name = Buffer.from(`${table}\0`);
  const body = new Uint8Array(8 + ((name.length + 3) & ~3));
  const view = new DataView(body.buffer);
  view.setUint8(0, family);
  view.setUint16(4, 4 + name.length, true);
  view.setUint16(6, NFTA_RULE.TABLE, true);
  body.set(name, 8);
  return body;
}

function absentOr(what: string, errno: number): number {
  if (ABSENT.includes(errno)) return 0;
  throw new LoaderError('netlink-failed', what, errno);
}
