import { join } from 'node:path';
import type { PodSpec } from '../store/objects.ts';

export type CgroupDriver = 'cgroupfs' | 'systemd';
export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** A pod's class from its containers' requests and limits, by Kubernetes' rules. */
export function qosClass(spec: PodSpec): QosClass {
  let any = false;
  let guaranteed = true;
  for (const { resources } of spec.containers) {
    const requests = resources?.requests ?? {};
    const limits = resources?.limits ?? {};
    for (const resource of ['cpu', 'memory']) {
      const limit = limits[resource];
      const request = requests[resource] ?? limit;
      if (request !== undefined || limit !== undefined) any = true;
      if (limit === undefined || String(request) !== String(limit)) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

/** A pod's directory below its node's cgroup, as the kubelet names it with either driver. */
export function podCgroup(driver: CgroupDriver, qos: QosClass, podUid: string): string {
  const tier = qos === 'Guaranteed' ? undefined : qos.toLowerCase();
  if (driver === 'cgroupfs') return join('kubepods', tier ?? '', `pod${podUid}`);
  // systemd reads "-" in a slice's name as a step down the tree, so the uid's dashes become "_".
  const uid = podUid.replaceAll('-', '_');
  if (tier === undefined) return join('kubepods.slice', `kubepods-pod${uid}.slice`);
  return join('kubepods.slice', `kubepods-${tier}.slice`, `kubepods-${tier}-pod${uid}.slice`);
}

/** A container's directory below its pod's, as containerd names it. */
export function containerCgroup(driver: CgroupDriver, containerId: string): string {
  return driver === 'cgroupfs' ? containerId : `cri-containerd-${containerId}.scope`;
}
