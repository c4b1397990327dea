import type { Backend } from '#backend/start.ts';
import { DEMO_RECORDING } from '#lab/recording.ts';
import type { Lab } from '#lab/start-lab.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { createLogger } from '#runtime/log.ts';
import { clusterSourceOf } from '../cluster-source-settings.ts';
import { CommandError } from '../failure.ts';
import { DEFAULT_RELAY } from '../relay-setting.ts';
import { type Flowing, flowing } from './flowing.ts';
import { assertFree } from './free-address.ts';
import { observingObstacle } from './observing-obstacle.ts';
import type { Replay } from './replay.ts';
import { type NamedScenario, scenariosNamed } from './scenarios.ts';

export interface DemoOptions {
  readonly scenarios: readonly string[];
  /** Of the lab. */
  readonly name: string;
  readonly nodes: number;
  /** Where agents and backend read the cluster's state. */
  readonly source: 'folder' | 'kubernetes';
  /** `host:port` of the page and of the relay. */
  readonly listen: string;
  readonly grpcListen: string;
  /** Replay recorded traffic, also where this machine's could be observed. */
  readonly replay: boolean;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
// A Ctrl-C is how the demo ends when all went well.
const EXIT_CODES = { SIGINT: 0, SIGTERM: 143, SIGHUP: 129 } as const;
const LIST = new Intl.ListFormat('en-GB');
/** How long after the scenarios are applied the first flows may take. */
const FLOWS_DEADLINE_MS = 60_000;

/** Runs the demo until a signal ends it, or its lab ends by itself. Returns the exit code; nothing is left behind. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { signal: interrupted, exitCode, release } = interruption();
  // What the parts log while all is well would bury the lines that matter here.
  process.env.WAGGLE_LOG_LEVEL ??= 'warn';
  const demo = new Demo(options, interrupted);
  try {
    const { address, relay, flows } = await demo.start();
    progress(flows);
    progress(`flows on another terminal: npx waggle observe -f${relay === DEFAULT_RELAY ? '' : ` --server ${relay}`}`);
    console.log(`Waggle is ready: ${address}`);
    await demo.untilEnded();
  } catch (error) {
    if (!interrupted.aborted) throw error;
  } finally {
    await demo.stop();
    release();
  }
  return exitCode();
}

interface Started {
  /** Of the page. */
  readonly address: string;
  /** Of its gRPC API. */
  readonly relay: string;
  /** What flows, and how to end it, for people. */
  readonly flows: string;
}

class Demo {
  readonly #options: DemoOptions;
  readonly #interrupted: AbortSignal;
  #lab: Lab | undefined;
  #backend: Backend | undefined;
  #replay: Replay | undefined;
  /** The lab is this demo's to take down: not before it starts, nor when it could not, as when one of its name runs already. */
  #ownsLab = false;

  constructor(options: DemoOptions, interrupted: AbortSignal) {
    this.#options = options;
    this.#interrupted = interrupted;
  }

  async start(): Promise<Started> {
    const { listen, grpcListen, replay } = this.#options;
    // What can be known to fail is looked at before anything is started.
    const scenarios = scenariosNamed(this.#options.scenarios);
    const obstacle = replay ? 'a replay was asked for with --replay.' : await observingObstacle();
    await assertFree(listen, '--listen or WAGGLE_LISTEN');
    await assertFree(grpcListen, '--grpc-listen or WAGGLE_GRPC_LISTEN');
    return await (obstacle === undefined ? this.#startLab(scenarios) : this.#startReplay(scenarios, obstacle));
  }

  /** Recorded traffic in place of the lab's. */
  async #startReplay(scenarios: readonly NamedScenario[], reason: string): Promise<Started> {
    const { listen, grpcListen } = this.#options;
    await buildPage();
    const { readRecording, startedMs } = await import('#bpf-agent/replay/recording.ts');
    const recording = readRecording(DEMO_RECORDING);
    const { Replay } = await import('./replay.ts');
    progress(reason);
    const day = new Date(startedMs(recording)).toISOString().slice(0, 10);
    const seconds = Math.round(recording.durationMs / 1000);
    progress(
      `this is not live traffic: ${seconds} s of ${LIST.format(recording.scenarios)}, which Waggle recorded on ${day}, are replayed over and over`,
    );
    const missing = scenarios.flatMap(({ name }) => (recording.scenarios.includes(name) ? [] : [name]));
    if (missing.length > 0) progress(`not recorded: ${LIST.format(missing)}`);
    this.#throwIfInterrupted();
    this.#replay = await Replay.start({ recording, listen, grpcListen, reason });
    const { backend, nodes } = this.#replay;
    const flows = await this.#firstFlows(backend.relayAddress, nodes);
    return {
      address: backend.url.replace(/\/$/, ''),
      relay: backend.relayAddress,
      flows: `replaying ${flowsSentence(flows)}; Ctrl-C ends the demo`,
    };
  }

  async #startLab(scenarios: readonly NamedScenario[]): Promise<Started> {
    const { name, nodes, source, listen, grpcListen } = this.#options;
    const { buildBpf } = await import('../../scripts/build-bpf.ts');
    buildBpf(progress);
    await buildPage();

    const { startLab } = await import('#lab/start-lab.ts');
    progress(`starting lab "${name}" with ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`);
    this.#throwIfInterrupted();
    this.#ownsLab = true;
    const starting = startLab({ name, nodes, source, onProgress: progress });
    starting.catch(() => {
      // It has removed what it had made.
      this.#ownsLab = false;
    });
    const lab = await this.#orInterrupted(starting);
    this.#lab = lab;

    const { startBackend } = await import('#backend/start.ts');
    const { stateDir } = await lab.status();
    this.#throwIfInterrupted();
    const state = source === 'folder' ? { stateDir } : { source: await this.#apiServer() };
    const backend = await startBackend({ listen, relayListen: grpcListen, ...state });
    this.#backend = backend;

    for (const scenario of scenarios) await this.#apply(lab, scenario);
    progress('waiting for the first flows');
    const flows = await this.#firstFlows(backend.relayAddress, nodes);
    return {
      address: backend.url.replace(/\/$/, ''),
      relay: backend.relayAddress,
      flows: `${flowsSentence(flows)}; Ctrl-C ends the demo and removes all of it`,
    };
  }

  /** The cluster's state from the lab's API server. */
  async #apiServer(): Promise<ClusterSource> {
    const { labKubeconfig } = await import('#lab/kubernetes/lab-api-server.ts');
    const { labLayout } = await import('#lab/lab-layout.ts');
    const kubeconfig = labKubeconfig(labLayout(this.#options.name));
    progress(`the API server's kubeconfig: ${kubeconfig}`);
    const flags = { source: 'kubernetes', kubeconfig } as const;
    return (await clusterSourceOf(flags, createLogger('backend')))!;
  }

  /** Resolves on a signal. Throws when the lab ends by itself, as when somebody took it down. */
  async untilEnded(): Promise<void> {
    const lab = this.#lab;
    if (lab === undefined) {
      await this.#orInterrupted(new Promise<void>(() => {})).catch(() => {});
      return;
    }
    const ended = lab.ended.then(() => {
      if (!this.#interrupted.aborted) throw new CommandError('the lab ended');
    });
    await this.#orInterrupted(ended).catch((error: unknown) => {
      if (!this.#interrupted.aborted) throw error;
    });
  }

  async stop(): Promise<void> {
    await this.#replay?.stop();
    if (!this.#ownsLab) return;
    progress('cleaning up');
    await this.#backend?.close();
    const { takeDown } = await import('#lab/take-down.ts');
    await takeDown(this.#options.name);
    progress('nothing is left behind');
  }

  async #apply(lab: Lab, { name, sources }: NamedScenario): Promise<void> {
    progress(`applying scenario ${name}`);
    this.#throwIfInterrupted();
    const { problems } = await lab.apply(sources);
    const [problem] = problems;
    if (problem !== undefined)
      throw new CommandError(`scenario ${name}: ${problem.file}:${problem.line}: ${problem.message}`);
    const { scenarioStages } = await import('#lab/scenario.ts');
    for (const { letter, summary } of scenarioStages(name).slice(1)) {
      progress(`  then: npx waggle lab scenario ${name} --name ${this.#options.name} --stage ${letter}   ${summary}`);
    }
  }

  async #firstFlows(relay: string, nodes: number): Promise<Flowing> {
    const found = await flowing(
      relay,
      nodes,
      AbortSignal.any([this.#interrupted, AbortSignal.timeout(FLOWS_DEADLINE_MS)]),
    );
    this.#throwIfInterrupted();
    if (typeof found === 'string')
      throw new CommandError(`no flows arrive after ${FLOWS_DEADLINE_MS / 1_000} s: ${found}`);
    return found;
  }

  #throwIfInterrupted(): void {
    this.#interrupted.throwIfAborted();
  }

  #orInterrupted<T>(pending: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(this.#interrupted.reason);
      if (this.#interrupted.aborted) onAbort();
      this.#interrupted.addEventListener('abort', onAbort, { once: true });
      pending.then(resolve, reject);
    });
  }
}

async function buildPage(): Promise<void> {
  const { buildWeb } = await import('../../scripts/build-web.ts');
  await buildWeb(progress);
}

/** The first signal interrupts; later ones change nothing, because cleaning up is already under way. */
function interruption() {
  const controller = new AbortController();
  let received: (typeof SIGNALS)[number] | undefined;
  const onSignal = (name: (typeof SIGNALS)[number]) => {
    if (received !== undefined) return;
    received = name;
    controller.abort(new Error(`interrupted by ${name}`));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    exitCode: () => (received === undefined ? 0 : EXIT_CODES[received]),
    release: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}

function flowsSentence({ flowsPerSecond, nodes }: Flowing): string {
  return `${nodes} of ${nodes} nodes, ${Math.round(flowsPerSecond)} flows/s`;
}

function progress(message: string): void {
  process.stderr.write(`waggle: ${message}\n`);
}
