import { Agent } from './agent.ts';
import type { AgentOptions } from './agent-options.ts';
import { type Datapath, openDatapath } from './loader/datapath.ts';

/** Another agent answers on the run directory's socket. */
export class AgentRunningError extends Error {
  override readonly name = 'AgentRunningError';
  readonly code = 'AGENT_RUNNING';
}

/**
 * Starts the agent of the node whose network namespace this process is in. Throws LoaderError, ListenError or
 * AgentRunningError with a message for people; then nothing of it runs, and what an earlier agent left is as it was.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { run, source } = options;
  run.create();
  if (await run.inUse()) {
    throw new AgentRunningError(`an agent already runs on ${run.path}: stop it, or choose another --run-dir`);
  }
  let datapath: Datapath | undefined;
  let agent: Agent | undefined;
  try {
    await source.start();
    datapath = openDatapath({ ...options.datapath, pinDirectory: run.pins });
    agent = new Agent(options, datapath);
    await agent.listen();
    return agent;
  } catch (error) {
    if (agent === undefined) datapath?.close();
    else await agent.stop();
    await source.stop();
    throw error;
  }
}
