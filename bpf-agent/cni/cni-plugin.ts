import { CniService } from '#proto/gen/waggle/v1/cni_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { Code, StatusError } from '#runtime/grpc/service.ts';
import { CNI_ERROR, CniError, type NetworkConfig, readNetworkConfig, SUPPORTED_VERSIONS } from './network-config.ts';

/** Beyond the wait for the pod's policy, an answer of the agent may take this long, in milliseconds. */
const AGENT_MS = 5_000;

export interface PluginAnswer {
  /** One JSON object, or nothing. */
  readonly output: object | undefined;
  readonly exitCode: 0 | 1;
}

/**
 * The chained CNI plugin: asks the node's agent to close a new pod's interface until its policy is computed, and adds nothing
 * to the result of the plugins before it. Where that cannot be done the pod is not started: the runtime tries again.
 *
 * @param environment CNI_COMMAND and the others, as the specification has them
 * @param input the network configuration
 */
export async function answerRuntime(
  environment: Readonly<Record<string, string | undefined>>,
  input: string,
): Promise<PluginAnswer> {
  let cniVersion = SUPPORTED_VERSIONS.at(-1)!;
  try {
    const config = readNetworkConfig(input);
    const command = environment.CNI_COMMAND ?? '';
    if (command === 'VERSION') {
      return { output: { cniVersion: config.cniVersion, supportedVersions: SUPPORTED_VERSIONS }, exitCode: 0 };
    }
    if (!SUPPORTED_VERSIONS.includes(config.cniVersion)) {
      const versions = SUPPORTED_VERSIONS.join(', ');
      const message = `cniVersion ${config.cniVersion.slice(0, 20)} is not supported; these are: ${versions}`;
      throw new CniError(CNI_ERROR.INCOMPATIBLE_VERSION, message);
    }
    cniVersion = config.cniVersion;
    return { output: await run(command, environment, config), exitCode: 0 };
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    return { output: { cniVersion, code: error.code, msg: error.message }, exitCode: 1 };
  }
}

async function run(
  command: string,
  environment: Readonly<Record<string, string | undefined>>,
  config: NetworkConfig,
): Promise<object | undefined> {
  switch (command) {
    case 'ADD':
      return add(environment, config);
    case 'CHECK':
      return check(environment, config);
    case 'STATUS':
      await asked(config, (agent) => agent.ready({}, { deadlineMs: AGENT_MS }), CNI_ERROR.NOT_AVAILABLE);
      return undefined;
    case 'DEL':
    case 'GC':
      // Programs and entries go with the interface.
      return undefined;
    default:
      throw new CniError(
        CNI_ERROR.INVALID_ENVIRONMENT,
        `CNI_COMMAND is "${command.slice(0, 20)}"; ADD, CHECK, DEL, GC, STATUS and VERSION are known`,
      );
  }
}

async function add(environment: Readonly<Record<string, string | undefined>>, config: NetworkConfig): Promise<object> {
  const { result, hostInterfaces, addresses } = previousOf(config);
  const args = podArguments(environment.CNI_ARGS ?? '');
  const [podUid, pod, namespace] = ['K8S_POD_UID', 'K8S_POD_NAME', 'K8S_POD_NAMESPACE'].map(
    (name) => args.get(name) ?? '',
  ) as [string, string, string];
  // Not Kubernetes': policy is about pods.
  if (pod === '' || namespace === '') return result;
  const request = {
    ...{ podUid, pod, namespace, addresses: [...addresses], timeoutMs: config.timeoutMs },
    ...{ hostInterfaces: [...hostInterfaces], networkNamespace: environment.CNI_NETNS ?? '' },
  };
  const deadlineMs = config.timeoutMs + AGENT_MS;
  await asked(config, (agent) => agent.preparePod(request, { deadlineMs }), CNI_ERROR.TRY_AGAIN_LATER);
  return result;
}

async function check(
  environment: Readonly<Record<string, string | undefined>>,
  config: NetworkConfig,
): Promise<undefined> {
  const { hostInterfaces } = previousOf(config);
  const request = { hostInterfaces: [...hostInterfaces], networkNamespace: environment.CNI_NETNS ?? '' };
  await asked(config, (agent) => agent.checkPod(request, { deadlineMs: AGENT_MS }), CNI_ERROR.TRY_AGAIN_LATER);
}

function previousOf({ previous }: NetworkConfig): NonNullable<NetworkConfig['previous']> {
  if (previous !== undefined) return previous;
  throw new CniError(
    CNI_ERROR.INVALID_CONFIG,
    'prevResult is missing: this plugin makes no interface; put it behind one that does, in the same list of plugins',
  );
}

type Agent = ReturnType<typeof createClient<typeof CniService>>;

async function asked<T>(
  { agentSocket }: NetworkConfig,
  ask: (agent: Agent) => Promise<T>,
  unreachable: number,
): Promise<T> {
  const agent = createClient(CniService, `unix:${agentSocket}`);
  try {
    return await ask(agent);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    if (error.code === Code.NOT_FOUND) throw new CniError(CNI_ERROR.NOT_ATTACHED, error.message);
    if (error.code === Code.UNAVAILABLE || error.code === Code.DEADLINE_EXCEEDED) {
      throw new CniError(unreachable, `the Waggle agent does not answer on ${agentSocket}: ${error.message}`);
    }
    throw new CniError(CNI_ERROR.IO_FAILURE, `the Waggle agent: ${error.message}`);
  } finally {
    agent.close();
  }
}

/** `IgnoreUnknown=1;K8S_POD_NAME=web;…` */
function podArguments(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(';').flatMap((part): [string, string][] => {
      const equals = part.indexOf('=');
      return equals < 0 ? [] : [[part.slice(0, equals), part.slice(equals + 1)]];
    }),
  );
}
