import type { Problem } from '#core/manifest/document.ts';
import type { ManifestSource } from './manifest/read-sources.ts';
import type { ApplyOutcome } from './store/apply.ts';

// What the lab's verbs say to its supervisor: HTTP and JSON over the control socket.

export interface ObjectName {
  kind: string;
  namespace?: string;
  name: string;
}

export interface ApplyRequest {
  sources: ManifestSource[];
  /** For objects that name none. */
  namespace: string;
}

export interface ApplyResponse {
  results: (ObjectName & { outcome: ApplyOutcome })[];
  problems: Problem[];
  ignoredKinds: { kind: string; count: number }[];
}

export interface DeleteRequest {
  sources?: ManifestSource[];
  objects?: ObjectName[];
  namespace: string;
}

export interface DeleteResponse {
  results: (ObjectName & { outcome: 'deleted' | 'not found' })[];
  problems: Problem[];
  ignoredKinds: { kind: string; count: number }[];
}

export interface ScaleRequest extends ObjectName {
  replicas: number;
}

export type AgentAction = 'start' | 'stop' | 'restart' | 'kill';

export interface LabStatus {
  name: string;
  pid: number;
  cgroup: string;
  cgroupDriver: string;
  stateDir: string;
  hostAddress: { v4: string; v6: string };
  nodes: {
    name: string;
    address: { v4: string; v6: string };
    netns: string;
    cgroup: string;
    /** "none" in a lab without agents. */
    agent: 'running' | 'restarting' | 'stopped' | 'none';
    agentPid?: number;
  }[];
}

/** Where a command must run to be inside a container. */
export interface ExecTarget {
  pod: string;
  container: string;
  pid: number;
  cgroup: string;
  env: Record<string, string>;
  workingDir: string;
}

export interface LogFile {
  pod: string;
  container: string;
  path: string;
}
