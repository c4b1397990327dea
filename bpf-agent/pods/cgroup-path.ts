/**
 * The kubelet's names for a pod's cgroup directory. Forms that are known:
 *
 *     kubepods/pod<uid>                                            cgroupfs driver, guaranteed
 *     kubepods/burstable/pod<uid>                                  … burstable, besteffort
 *     kubepods.slice/kubepods-pod<uid>.slice                       systemd driver, dashes of the uid as "_"
 *     kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid>.slice
 *     kubelet/kubepods/…                                           kind, cgroupfs
 *     kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod<uid>.slice   kind, systemd
 *
 * A static pod's directory carries the hash of its manifest (32 hex digits) in place of the uid; the API server's mirror
 * pod has it in the annotation `kubernetes.io/config.hash`.
 */
const UID = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})$/;
const SLICE = '.slice';
const TIERS = new Set(['burstable', 'besteffort']);

/** The uid (or static pod's hash) in a directory name, or undefined when it is not a pod's. */
export function podUidOfDirectory(name: string): string | undefined {
  if (!name.endsWith(SLICE)) return name.startsWith('pod') ? uidOf(name.slice(3)) : undefined;
  const parts = name.slice(0, -SLICE.length).split('-');
  const last = parts.at(-1) ?? '';
  const parent = parts.slice(0, -1);
  if (TIERS.has(parent.at(-1) ?? '')) parent.pop();
  if (parent.at(-1) !== 'kubepods' || !last.startsWith('pod')) return undefined;
  return uidOf(last.slice(3).replaceAll('_', '-'));
}

/** True for the directory under which the kubelet keeps its pods: `kubepods`, `kubepods.slice`, `kubelet-kubepods.slice`. */
export function isKubepodsDirectory(name: string): boolean {
  return name === 'kubepods' || name === 'kubepods.slice' || name.endsWith('-kubepods.slice');
}

/** True for the directory of a quality-of-service class below it. */
export function isTierDirectory(name: string): boolean {
  if (!name.endsWith(SLICE)) return TIERS.has(name);
  const parts = name.slice(0, -SLICE.length).split('-');
  return TIERS.has(parts.at(-1) ?? '') && parts.at(-2) === 'kubepods';
}

function uidOf(text: string): string | undefined {
  return UID.test(text) ? text : undefined;
}
