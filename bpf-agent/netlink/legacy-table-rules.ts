/** Counting the rules of the older iptables (ip_tables, ip6_tables), which the kernel hands out as one block of entries. */
import { readFileSync } from 'node:fs';
import { closeFd, openDatagramSocket, socketOption } from '../loader/libc.ts';
import { LoaderError } from '../loader/loader-error.ts';

interface Layout {
  /** Names of the tables that this network namespace has. Asking for one that it has not would make it. */
  readonly names: string;
  readonly addressFamily: number;
  readonly level: number;
  /** Bytes of an entry before its matches, and where in it the offset of its target and of the next entry stand (u16). */
  readonly entryBytes: number;
  readonly targetOffsetAt: number;
}

export const LEGACY: Readonly<Record<'ipv4' | 'ipv6', Layout>> = {
  ipv4: { names: '/proc/net/ip_tables_names', addressFamily: 2, level: 0, entryBytes: 112, targetOffsetAt: 88 },
  ipv6: { names: '/proc/net/ip6_tables_names', addressFamily: 10, level: 41, entryBytes: 168, targetOffsetAt: 140 },
};

const GET_INFO = 64;
const GET_ENTRIES = 65;
const NAME_BYTES = 32;
/** struct ipt_getinfo: name, hooks, twice five offsets, and then how many entries, and how many bytes. */
const INFO_BYTES = NAME_BYTES + 4 + 20 + 20 + 8;
/** struct ipt_get_entries: name, size, and entries from the next multiple of 8. */
const ENTRIES_AT = NAME_BYTES + 8;
const TARGET_BYTES = 32;
const TARGET_NAME = { at: 2, bytes: 29 };
/** A chain begins with an entry of this target, whose data is the chain's name. */
const CHAIN_HEAD = 'ERROR';
const MOST_BYTES = 256 << 20;
const EAGAIN = 11;
const ATTEMPTS = 5;

/**
 * Rules of a table's chains of this form, in this thread's network namespace; 0 where there is no such table.
 * @throws LoaderError `netlink-failed` when the kernel does not tell.
 */
export function countLegacyRules(layout: Layout, table: string, chain: RegExp): number {
  if (!tablesOf(layout).includes(table)) return 0;
  const { value: fd, errno } = openDatagramSocket(layout.addressFamily);
  if (fd < 0) throw new LoaderError('netlink-failed', `cannot ask for the rules of table ${table}`, errno);
  try {
    // It may have changed between the two calls.
    for (let attempt = 1; ; attempt++) {
      const info = new Uint8Array(INFO_BYTES);
      info.set(Buffer.from(table));
      const told = socketOption(fd, layout.level, GET_INFO, info);
      if (told.value < 0) throw new LoaderError('netlink-failed', `cannot ask for table ${table}`, told.errno);
      const size = new DataView(info.buffer).getUint32(INFO_BYTES - 4, true);
      if (size > MOST_BYTES) throw new LoaderError('netlink-failed', `table ${table} has ${size} bytes`);
      const entries = new Uint8Array(ENTRIES_AT + size);
      entries.set(Buffer.from(table));
      new DataView(entries.buffer).setUint32(NAME_BYTES, size, true);
      const read = socketOption(fd, layout.level, GET_ENTRIES, entries);
      if (read.value >= 0) return rulesIn(entries.subarray(ENTRIES_AT), layout, chain);
      if (read.errno !== EAGAIN || attempt === ATTEMPTS) {
        throw new LoaderError('netlink-failed', `cannot read the rules of table ${table}`, read.errno);
      }
    }
  } finally {
    closeFd(fd);
  }
}

/** Pure, and careful: whatever the bytes, nothing outside them is read. */
export function rulesIn(entries: Uint8Array, layout: Layout, chain: RegExp): number {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
  let rules = 0;
  let counts = false;
  for (let at = 0; at + layout.entryBytes + TARGET_BYTES <= entries.length; ) {
    const target = at + view.getUint16(at + layout.targetOffsetAt, true);
    const next = at + view.getUint16(at + layout.targetOffsetAt + 2, true);
    if (target < at + layout.entryBytes || next < target + TARGET_BYTES || next > entries.length) return rules;
    if (text(entries, target + TARGET_NAME.at, TARGET_NAME.bytes) === CHAIN_HEAD) {
      counts = chain.test(text(entries, target + TARGET_BYTES, next - target - TARGET_BYTES));
      // What ends a chain is an entry too.
      if (counts) rules--;
    } else if (counts) {
      rules++;
    }
    at = next;
  }
  return rules;
}

function text(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('latin1');
}

function tablesOf({ names }: Layout): string[] {
  try {
    return readFileSync(names, 'utf8').split('\n');
  } catch (error) {
    // The module is not there, so nor are rules.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new LoaderError('netlink-failed', `cannot read ${names}: ${(error as Error).message}`);
  }
}
