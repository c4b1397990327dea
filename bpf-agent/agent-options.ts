import type { ClusterSource } from '#runtime/cluster/source.ts';
import type { ServerCredentials } from '#runtime/grpc/tls.ts';
import type { ExportSelection, ExportSink } from '#runtime/hubble/flow-exporter.ts';
import type { FlowMetricsOptions } from '#runtime/hubble/flow-metrics.ts';
import type { Logger } from '#runtime/log.ts';
import type { DatapathOptions } from './loader/datapath.ts';
import type { RunDirectory } from './run-directory.ts';

/** What an agent is told when it starts. */
export interface AgentOptions {
  readonly node: string;
  readonly cluster: string;
  readonly version: string;
  readonly source: ClusterSource;
  readonly run: RunDirectory;
  /** Where gRPC is served besides the run directory's socket. */
  readonly listen: string;
  /** TLS of `listen`; the run directory's socket stays plain. */
  readonly credentials?: ServerCredentials;
  /** Where metrics and health are served; undefined = nowhere. */
  readonly metricsListen?: string;
  /** Which labels flows are counted by, and how many series there may be. */
  readonly metrics?: FlowMetricsOptions;
  /** Where flows are exported to, beside being served. */
  readonly exports?: readonly { readonly sink: ExportSink; readonly selection: ExportSelection }[];
  /** Directory under which the pods' cgroups are looked for. */
  readonly cgroupRoot: string;
  readonly procRoot?: string;
  /** Flows held. */
  readonly flows: number;
  /** Evaluate policies and report, enforce nowhere. */
  readonly policyAudit?: boolean;
  /** Ranges of pods' addresses beside the nodes' podCIDRs. */
  readonly podCidrs?: readonly string[];
  /** Folder of the container runtime's networks, in whose list the CNI plugin is to stay; undefined = it is in none. */
  readonly cniConfDir?: string;
  /** Balance Services for the sockets of the cgroup root; default true. */
  readonly services?: boolean;
  readonly datapath?: Omit<DatapathOptions, 'pinDirectory'>;
  readonly log: Logger;
}
