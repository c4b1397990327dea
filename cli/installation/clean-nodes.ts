import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { CommandError } from '../failure.ts';
import { applyObject, deleteObject, getObject, type KubernetesObject, pathOf } from './kubernetes-object.ts';
import { PodTroubles } from './pod-troubles.ts';

const CLEANER = 'waggle-cleanup';
/** What stands in the way is told when it has for so long. */
const LASTING_MS = 4_000;

interface AgentSet extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly (Record<string, unknown> & { readonly name: string })[];
        readonly [field: string]: unknown;
      };
    };
  };
}

interface SetStatus {
  readonly metadata: { readonly generation: number };
  readonly status?: { desiredNumberScheduled?: number; numberReady?: number; observedGeneration?: number };
}

/**
 * Takes agents off and then, on every node they were on, their programs, maps and files. By a DaemonSet in the agents' place:
 * the same image, folders and rights. Throws CommandError when nodes are not done in time; those are named by `waggle status`.
 * @returns how many nodes were cleaned
 */
export async function cleanNodes(
  client: ApiClient,
  namespace: string,
  timeoutMs: number,
  progress: (text: string) => void,
): Promise<number> {
  const agentPath = pathOf('DaemonSet', namespace, 'waggle-agent');
  const cleanerPath = pathOf('DaemonSet', namespace, CLEANER);
  const agent = await getObject<AgentSet>(client, agentPath);
  if (agent !== undefined) {
    await applyObject(client, cleanerOf(agent, namespace));
    progress('agents: deleting');
    await deleteObject(client, agentPath);
  } else if ((await getObject(client, cleanerPath)) === undefined) {
    return 0;
  }
  const deadline = Date.now() + timeoutMs;
  const troubles = new LastingTroubles(client, namespace, progress);
  for (let told = ''; ; ) {
    const set = await getObject<SetStatus>(client, cleanerPath);
    const { desiredNumberScheduled: nodes = 0, numberReady = 0, observedGeneration } = set?.status ?? {};
    const text = `nodes: ${numberReady} of ${nodes} cleaned`;
    if (observedGeneration !== undefined && text !== told) progress(text);
    told = text;
    if (observedGeneration === set?.metadata.generation && observedGeneration !== undefined && numberReady >= nodes) {
      await deleteObject(client, cleanerPath);
      return nodes;
    }
    await troubles.look(nodes);
    if (Date.now() > deadline) {
      throw new CommandError(
        `not every node was cleaned in time (${numberReady} of ${nodes}): DaemonSet ${CLEANER} goes on with them; ` +
          'run waggle uninstall again, or with --leave-nodes to give them up',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Tells what keeps nodes from being cleaned as soon as it lasts: most waits for an image that never comes would be long. */
class LastingTroubles {
  readonly #client: ApiClient;
  readonly #namespace: string;
  readonly #tell: (text: string) => void;
  readonly #told = new Set<string>();
  #before = new Set<string>();
  #nextMs = Date.now() + LASTING_MS;

  constructor(client: ApiClient, namespace: string, tell: (text: string) => void) {
    this.#client = client;
    this.#namespace = namespace;
    this.#tell = tell;
  }

  /** @param nodes how many are to be cleaned */
  async look(nodes: number): Promise<void> {
    if (Date.now() < this.#nextMs) return;
    const lines = (await PodTroubles.read(this.#client, this.#namespace)).of('cleanup', nodes);
    for (const line of lines) {
      if (!this.#before.has(line) || this.#told.has(line)) continue;
      this.#told.add(line);
      this.#tell(`waiting: ${line}`);
    }
    this.#before = new Set(lines);
    this.#nextMs = Date.now() + LASTING_MS;
  }
}

/** The installer's own command, the other way round. */
function unplug(command: readonly string[]): string[] {
  return command.map((word) => (word === 'cni-install' ? 'cni-uninstall' : word));
}

/** An init container does the work, so that ready means done; what waits beside it does nothing. */
function cleanerOf(agent: AgentSet, namespace: string): KubernetesObject {
  const { containers, initContainers, ...pod } = agent.spec.template.spec;
  const cni = (initContainers as Record<string, unknown>[] | undefined)?.find(({ name }) => name === 'cni');
  const { args: __, ports: ___, readinessProbe, startupProbe, livenessProbe, env, ...container } = containers[0]!;
  const mounts = (container.volumeMounts as { name: string }[]).filter(({ name }) => name !== 'tls');
  const volumes = (pod.volumes as { name: string }[]).filter(({ name }) => name !== 'tls');
  const labels = { 'app.kubernetes.io/name': 'waggle', 'app.kubernetes.io/component': 'cleanup' };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: CLEANER, namespace, labels: { ...labels, 'app.kubernetes.io/part-of': 'waggle' } },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          ...pod,
          volumes,
          initContainers: [
            // The runtime must not look for a plugin that is gone.
            ...(cni === undefined ? [] : [{ ...cni, command: unplug(cni.command as string[]) }]),
            // An agent that is still on its way out keeps this one from starting: the kubelet tries again.
            {
              ...container,
              volumeMounts: mounts,
              name: 'cleanup',
              args: ['agent', 'cleanup', '--run-dir', '/run/waggle/agent'],
            },
          ],
          containers: [
            {
              name: 'done',
              image: container.image,
              imagePullPolicy: container.imagePullPolicy,
              command: ['node', '-e', 'setInterval(() => {}, 2 ** 30)'],
              securityContext: {
                runAsUser: 65_532,
                readOnlyRootFilesystem: true,
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
              },
            },
          ],
        },
      },
    },
  };
}
