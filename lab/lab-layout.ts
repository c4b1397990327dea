import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** Everything of every lab on this machine lives below this directory. */
export const RUN_ROOT = '/run/waggle';
export const DEFAULT_LAB_NAME = 'waggle';

// Dots separate the parts of a namespace name, so a lab's name must not contain one: "a" never matches "a-b".
const LAB_NAME = /^[a-z0-9](?:[-a-z0-9]{0,28}[a-z0-9])?$/;

/** Says what is wrong with a lab's name, or undefined. */
export function labNameProblem(name: string): string | undefined {
  return LAB_NAME.test(name)
    ? undefined
    : `lab name "${name}" must be 1 to 30 lower case letters, digits and "-", and start and end with a letter or digit`;
}

/** Where a lab keeps its things, and what it calls them. `down` finds what to remove by these names alone. */
export interface LabLayout {
  name: string;
  dir: string;
  stateDir: string;
  logsDir: string;
  resolvDir: string;
  controlSocket: string;
  supervisorRecord: string;
  supervisorLog: string;
  /** Name of the host's link to the fabric; at most 15 characters, as the kernel asks. */
  hostLink: string;
  netnsPrefix: string;
  fabricNetns: string;
}

export function labLayout(name: string): LabLayout {
  const dir = join(RUN_ROOT, name);
  const netnsPrefix = `waggle.${name}.`;
  return {
    name,
    dir,
    stateDir: join(dir, 'state'),
    logsDir: join(dir, 'logs'),
    resolvDir: join(dir, 'resolv'),
    controlSocket: join(dir, 'control.sock'),
    supervisorRecord: join(dir, 'supervisor.json'),
    supervisorLog: join(dir, 'supervisor.log'),
    hostLink: `wg${shortHash(name, 10)}`,
    netnsPrefix,
    fabricNetns: `${netnsPrefix}fabric`,
  };
}

export function nodeName(index: number): string {
  return `node${index + 1}`;
}

export function nodeNetns(layout: LabLayout, node: string): string {
  return `${layout.netnsPrefix}${node}`;
}

export function podNetns(layout: LabLayout, node: string, podUid: string): string {
  return `${layout.netnsPrefix}${node}.${shortHash(podUid, 12)}`;
}

/** The node's end of a pod's veth. */
export function podLinkName(podUid: string): string {
  return `wg${shortHash(podUid, 12)}`;
}

export function nodeRunDir(layout: LabLayout, node: string): string {
  return join(layout.dir, node);
}

export function agentSocket(layout: LabLayout, node: string): string {
  return join(nodeRunDir(layout, node), 'agent.sock');
}

export function netnsPath(netns: string): string {
  return join('/run/netns', netns);
}

export function shortHash(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}
