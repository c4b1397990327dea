/**
 * clsact, the hook of kernels before 6.6: programs are tc filters on a qdisc. They outlive the process by themselves; our
 * handle and priority tell them from others'. Replacing a filter is atomic.
 */
import { libbpf } from './libbpf.ts';
import { LoaderError } from './loader-error.ts';
import type { Hook } from './tcx.ts';

const ATTACH_POINT: Record<Hook, number> = { ingress: 1, egress: 2 };
const HANDLE = 1;
/** Nobody else's, by luck: 0x5747 is "WG". */
const PRIORITY = 0x5747;
const REPLACE = 1;
const EEXIST = 17;
const ENODEV = 19;
const ENOENT = 2;
const EINVAL = 22;

/** @throws LoaderError `interface-gone`, `attach-failed`. */
export function attachClsact(programFd: number, interfaceIndex: number, hook: Hook): void {
  const created = libbpf().tcHookCreate(hookBytes(interfaceIndex, hook));
  if (created < 0 && created !== -EEXIST) throw attachError(interfaceIndex, hook, -created);
  const error = libbpf().tcAttach(hookBytes(interfaceIndex, hook), optionBytes(programFd, REPLACE));
  if (error < 0) throw attachError(interfaceIndex, hook, -error);
}

/** Removes our filter; the qdisc stays, others may use it. An interface that is gone is fine. */
export function detachClsact(interfaceIndex: number, hook: Hook): void {
  const error = libbpf().tcDetach(hookBytes(interfaceIndex, hook), optionBytes(0, 0));
  if (error < 0 && ![ENOENT, ENODEV, EINVAL].includes(-error)) throw attachError(interfaceIndex, hook, -error);
}

/** Whether our filter is on the hook. */
export function hasClsact(interfaceIndex: number, hook: Hook): boolean {
  return libbpf().tcQuery(hookBytes(interfaceIndex, hook), optionBytes(0, 0)) === 0;
}

function attachError(interfaceIndex: number, hook: Hook, errno: number): LoaderError {
  if (errno === ENODEV) return new LoaderError('interface-gone', `there is no interface ${interfaceIndex}`, errno);
  return new LoaderError('attach-failed', `cannot attach to ${hook} of interface ${interfaceIndex} (clsact)`, errno);
}

// struct bpf_tc_hook
function hookBytes(interfaceIndex: number, hook: Hook): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(bytes.length), true);
  view.setInt32(8, interfaceIndex, true);
  view.setUint32(12, ATTACH_POINT[hook], true);
  return bytes;
}

// struct bpf_tc_opts
function optionBytes(programFd: number, flags: number): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(bytes.length), true);
  view.setInt32(8, programFd, true);
  view.setUint32(12, flags, true);
  view.setUint32(20, HANDLE, true);
  view.setUint32(24, PRIORITY, true);
  return bytes;
}
