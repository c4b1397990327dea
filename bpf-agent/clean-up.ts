import { detachClsact, hasClsact } from './loader/clsact.ts';
import { listLinks } from './netlink/route-socket.ts';
import type { RunDirectory } from './run-directory.ts';

/**
 * Takes the programs of a stopped agent off every hook, and forgets what it left. Links go with their pins; filters of
 * older kernels are looked for on the interfaces of this network namespace.
 */
export function cleanUp(run: RunDirectory): void {
  run.clean();
  // Pods' interfaces, and the node's uplinks, which may be of any kind.
  for (const { index } of listLinks()) {
    for (const hook of ['ingress', 'egress'] as const) if (hasClsact(index, hook)) detachClsact(index, hook);
  }
}
