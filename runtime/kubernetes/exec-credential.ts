import { execFile } from 'node:child_process';
import { ApiAccessError, type ApiCredentials } from './api-access.ts';

/** A program that hands out credentials, as kubeconfigs of EKS, GKE and AKS name one. */
export interface ExecPlugin {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly apiVersion: string;
  readonly installHint: string;
}

// Some plugins open a browser for the person to log in.
const TIMEOUT_MS = 120_000;
const MOST_BYTES = 1024 * 1024;
/** Renewed this long before it ends. */
const EARLY_MS = 60_000;

/** Runs the plugin, and again when what it gave is about to end or was not accepted. */
export class ExecCredential {
  readonly #plugin: ExecPlugin;
  readonly #origin: string;
  #current: { readonly credentials: ApiCredentials; readonly until: number } | undefined;
  #running: Promise<ApiCredentials> | undefined;

  /** @param origin the kubeconfig and its user, for messages */
  constructor(plugin: ExecPlugin, origin: string) {
    this.#plugin = plugin;
    this.#origin = origin;
  }

  async get(renew: boolean): Promise<ApiCredentials> {
    if (!renew && this.#current !== undefined && Date.now() < this.#current.until) return this.#current.credentials;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<ApiCredentials> {
    const { command, args, env, apiVersion } = this.#plugin;
    const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
    const output = await new Promise<string>((resolve, reject) => {
      const options = {
        env: { ...process.env, ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
        timeout: TIMEOUT_MS,
        maxBuffer: MOST_BYTES,
      };
      execFile(command, [...args], options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(this.#problem(error as NodeJS.ErrnoException, stderr));
      });
    });
    let status: Record<string, unknown> | undefined;
    try {
      status = (JSON.parse(output) as { status?: Record<string, unknown> }).status;
    } catch {
      // Not shown: half of it may be a token.
    }
    const text = (key: string) => (typeof status?.[key] === 'string' ? (status[key] as string) : undefined);
    const credentials = {
      token: text('token'),
      certificate: text('clientCertificateData'),
      key: text('clientKeyData'),
    };
    if (credentials.token === undefined && credentials.certificate === undefined) {
      throw new ApiAccessError(`${this.#origin}: "${command}" gave no ExecCredential with a token or certificate`);
    }
    const ends = Date.parse(text('expirationTimestamp') ?? '');
    this.#current = { credentials, until: Number.isNaN(ends) ? Number.POSITIVE_INFINITY : ends - EARLY_MS };
    return credentials;
  }

  #problem(error: NodeJS.ErrnoException, stderr: string): ApiAccessError {
    const { command, installHint } = this.#plugin;
    if (error.code === 'ENOENT') {
      return new ApiAccessError(`${this.#origin}: "${command}" is not installed. ${installHint}`.trim());
    }
    const why = stderr.trim().split('\n').at(-1) || error.message;
    return new ApiAccessError(`${this.#origin}: "${command}" failed: ${why.slice(0, 300)}`);
  }
}
