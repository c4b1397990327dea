import { randomBytes } from 'node:crypto';
import { AgentService } from '#proto/gen/waggle/v1/agent_pb.ts';
import { FlowService } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { NodeRecording } from '#proto/gen/waggle/v1/recording_pb.ts';
import { LoadBalancerService } from '#proto/gen/waggle/v1/service_pb.ts';
import { startGrpcServer } from '#runtime/grpc/server.ts';
import { type ServedService, service } from '#runtime/grpc/service.ts';
import type { Logger } from '#runtime/log.ts';
import { BootHistory } from '../observer/boot-history.ts';
import { FlowLog } from '../observer/flow-log.ts';
import { NodeFlowService } from '../observer/flow-service.ts';
import { RecordedAnswers } from './recorded-answers.ts';
import { type Span, Timeline } from './timeline.ts';

/** How often due flows are taken from the recording. */
const EVERY_MS = 25;
const FLOWS_HELD = 65_536;

export interface ReplayingAgentOptions {
  readonly recording: NodeRecording;
  readonly span: Span;
  /** When the first round begins, milliseconds since 1970: the same for all nodes of a cluster. */
  readonly beginMs: number;
  readonly version: string;
  /** Default 127.0.0.1, any free port. */
  readonly listen?: string;
  readonly log?: Logger;
}

export interface ReplayingAgent {
  readonly node: string;
  /** `host:port` of its FlowService. */
  readonly address: string;
  stop(): Promise<void>;
}

/** A node's agent whose flows come from a recording instead of the kernel. To whoever follows it, it is one like any other. */
export async function startReplayingAgent(options: ReplayingAgentOptions): Promise<ReplayingAgent> {
  const { recording, span, beginMs, version } = options;
  const bootId = randomBytes(8).readBigUInt64LE();
  const log = new FlowLog(
    { cluster: recording.cluster, node: recording.name, bootId },
    FLOWS_HELD,
    new BootHistory([]),
  );
  const timeline = new Timeline(log.window, log.node, recording.batches, span, beginMs);
  let address = '';
  const flows = new NodeFlowService(log, {
    version,
    startedMs: Date.now(),
    address: () => address,
    endpoints: () => recording.endpoints,
    problem: () => '',
  });
  const server = await startGrpcServer({
    address: options.listen ?? '127.0.0.1:0',
    services: [service(FlowService, flows), ...asked(recording, span, beginMs)],
    log: options.log,
  });
  address = server.address;
  const timer = setInterval(() => {
    const count = timeline.advance(Date.now());
    if (count > 0) log.appended(count);
  }, EVERY_MS);
  return {
    node: recording.name,
    address,
    async stop() {
      clearInterval(timer);
      await server.stop();
    },
  };
}

/** What else an agent answers. */
function asked(recording: NodeRecording, span: Span, beginMs: number): ServedService[] {
  if (recording.answers.length === 0) return [];
  const answers = new RecordedAnswers(recording, span, beginMs);
  return [service(AgentService, answers.agentService()), service(LoadBalancerService, answers.loadBalancerService())];
}
