import { isAddress } from '#core/ip/address.ts';

/** What the container runtime hands a plugin on its standard input, as far as this one reads it. */
export interface NetworkConfig {
  readonly cniVersion: string;
  /** The agent's unix socket. */
  readonly agentSocket: string;
  /** How long ADD waits for the pod's policy, in milliseconds. */
  readonly timeoutMs: number;
  /** What the plugins before this one have made; undefined when there is none. */
  readonly previous: PreviousResult | undefined;
}

export interface PreviousResult {
  /** As it came: what a plugin that adds nothing answers. */
  readonly result: object;
  /** Names of interfaces in the node's network namespace. */
  readonly hostInterfaces: readonly string[];
  /** The pod's addresses, without prefix length. */
  readonly addresses: readonly string[];
}

export const SUPPORTED_VERSIONS: readonly string[] = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];
const DEFAULT_SOCKET = '/run/waggle/agent/agent.sock';
const DEFAULT_TIMEOUT_MS = 5_000;
const MOST_TIMEOUT_MS = 60_000;

/** Error codes of the CNI specification; from 100 on they are the plugin's own. */
export const CNI_ERROR = {
  INCOMPATIBLE_VERSION: 1,
  INVALID_ENVIRONMENT: 4,
  IO_FAILURE: 5,
  CANNOT_DECODE: 6,
  INVALID_CONFIG: 7,
  TRY_AGAIN_LATER: 11,
  NOT_AVAILABLE: 50,
  NOT_ATTACHED: 100,
} as const;

/** Told to the runtime, which shows it to people. */
export class CniError extends Error {
  override readonly name = 'CniError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Throws CniError. Unknown fields are left alone: runtimes add their own. */
export function readNetworkConfig(text: string): NetworkConfig {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    throw new CniError(CNI_ERROR.CANNOT_DECODE, `the network configuration is not JSON: ${(error as Error).message}`);
  }
  if (!isMap(config)) throw new CniError(CNI_ERROR.CANNOT_DECODE, 'the network configuration is no object');
  const { cniVersion = '0.3.0', agentSocket = DEFAULT_SOCKET, timeoutMs = DEFAULT_TIMEOUT_MS, prevResult } = config;
  if (typeof cniVersion !== 'string') throw new CniError(CNI_ERROR.INVALID_CONFIG, 'cniVersion must be text');
  if (typeof agentSocket !== 'string' || !agentSocket.startsWith('/')) {
    throw new CniError(CNI_ERROR.INVALID_CONFIG, 'agentSocket must be the absolute path of the agent’s socket');
  }
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0 && timeoutMs <= MOST_TIMEOUT_MS)) {
    throw new CniError(CNI_ERROR.INVALID_CONFIG, `timeoutMs must be a number from 0 to ${MOST_TIMEOUT_MS}`);
  }
  const previous = isMap(prevResult) ? readPrevious(prevResult) : undefined;
  return { cniVersion, agentSocket, timeoutMs: Math.round(timeoutMs), previous };
}

function readPrevious(result: Readonly<Record<string, unknown>>): PreviousResult {
  const hostInterfaces = listOf(result.interfaces).flatMap(({ name, sandbox }) =>
    typeof name === 'string' && (sandbox === undefined || sandbox === '') ? name : [],
  );
  const addresses = listOf(result.ips).flatMap(({ address }) => {
    const bare = typeof address === 'string' ? address.split('/', 1)[0]! : '';
    return isAddress(bare) ? bare : [];
  });
  return { result, hostInterfaces, addresses };
}

function listOf(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isMap) : [];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
