import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { closeSync, existsSync, globSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ApiClient } from '../kubernetes/api-client.ts';
import { kubeconfigAccess } from '../kubernetes/kubeconfig.ts';
import { freePort } from './free-port.ts';

export type KubernetesProgram =
  | 'etcd'
  | 'kube-apiserver'
  | 'kubectl'
  | 'helm'
  | 'kubelet'
  | 'kube-controller-manager'
  | 'kube-scheduler';

/** In KUBEBUILDER_ASSETS, where scripts/build-envtest.ts puts it, or on the PATH. */
export function findProgram(name: KubernetesProgram): string | undefined {
  const folders = [
    process.env.KUBEBUILDER_ASSETS ?? '',
    ...globSync(join(homedir(), '.cache/waggle/envtest-*')).sort().reverse(),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

/** Why no API server can be started here; undefined where one can. */
export function apiServerObstacle(): string | undefined {
  const missing = (['etcd', 'kube-apiserver'] as const).filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return undefined;
  return `there is no ${missing.join(' and no ')}: set KUBEBUILDER_ASSETS, or run node scripts/build-envtest.ts`;
}

export interface ApiServerOptions {
  /** For data, keys and logs; must exist. Not removed by `stop`. */
  readonly directory: string;
  /** Where it listens; default 127.0.0.1. */
  readonly address?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Ranges of Services' addresses. */
  readonly serviceCidrs?: readonly string[];
  /** Pods get service accounts and their tokens, which a controller manager has to make. */
  readonly serviceAccounts?: boolean;
  /** Told the id of every process that is started. */
  readonly onSpawn?: (pid: number) => void;
}

const READY_MS = 90_000;

/** A real kube-apiserver over a real etcd, without controllers: for specs, and for a lab whose agents read the API. */
export class TestApiServer {
  readonly directory: string;
  /** For kubectl, as a member of system:masters. */
  readonly kubeconfig: string;
  readonly #options: ApiServerOptions;
  readonly #token = randomBytes(16).toString('hex');
  #port = 0;
  #etcdPort = 0;
  #etcd: ChildProcess | undefined;
  #server: ChildProcess | undefined;

  private constructor(options: ApiServerOptions) {
    this.#options = options;
    this.directory = options.directory;
    this.kubeconfig = join(options.directory, 'kubeconfig');
  }

  /** Throws an error with the end of the log when it does not come up. */
  static async start(options: ApiServerOptions): Promise<TestApiServer> {
    const obstacle = apiServerObstacle();
    if (obstacle !== undefined) throw new Error(obstacle);
    const server = new TestApiServer(options);
    try {
      await server.#start();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `https://${this.#options.address ?? '127.0.0.1'}:${this.#port}`;
  }

  async client(): Promise<ApiClient> {
    return new ApiClient(await kubeconfigAccess(this.kubeconfig));
  }

  kubectl(args: readonly string[], input?: string): string {
    const program = findProgram('kubectl');
    if (program === undefined) throw new Error('there is no kubectl');
    return execFileSync(program, ['--kubeconfig', this.kubeconfig, ...args], {
      input,
      encoding: 'utf8',
      timeout: 60_000,
    });
  }

  /** Forgets history: watches that are behind are told 410 when they come back. */
  async compact(): Promise<void> {
    const key = Buffer.from('/none').toString('base64');
    const { header } = (await this.#etcdCall('kv/range', { key })) as { header: { revision: string } };
    await this.#etcdCall('kv/compaction', { revision: header.revision, physical: true });
  }

  /** Ends the API server as a crash would; etcd stays. */
  async kill(): Promise<void> {
    await end(this.#server, 'SIGKILL');
    this.#server = undefined;
  }

  /** Starts it again after `kill`. */
  async restart(): Promise<void> {
    this.#startServer();
    await this.#ready();
  }

  async stop(): Promise<void> {
    await end(this.#server, 'SIGKILL');
    await end(this.#etcd, 'SIGKILL');
  }

  async #start(): Promise<void> {
    const { directory } = this;
    mkdirSync(join(directory, 'etcd'), { recursive: true, mode: 0o700 });
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    writeFileSync(join(directory, 'accounts.key'), privateKey, { mode: 0o600 });
    writeFileSync(join(directory, 'accounts.pub'), publicKey);
    writeFileSync(join(directory, 'tokens.csv'), `${this.#token},admin,admin,system:masters\n`, { mode: 0o600 });
    const peerPort = await freePort();
    this.#etcdPort = await freePort();
    this.#port = this.#options.port ?? (await freePort());
    this.#etcd = this.#spawn('etcd', [
      ...['--data-dir', join(directory, 'etcd'), '--unsafe-no-fsync', '--logger', 'zap', '--log-level', 'warn'],
      ...['--listen-client-urls', this.#etcdUrl, '--advertise-client-urls', this.#etcdUrl],
      ...['--listen-peer-urls', `http://127.0.0.1:${peerPort}`, '--initial-advertise-peer-urls'],
      ...[`http://127.0.0.1:${peerPort}`, '--initial-cluster', `default=http://127.0.0.1:${peerPort}`],
    ]);
    this.#startServer();
    await this.#ready();
  }

  get #etcdUrl(): string {
    return `http://127.0.0.1:${this.#etcdPort}`;
  }

  #startServer(): void {
    const { address = '127.0.0.1', serviceCidrs = ['10.0.0.0/16'], serviceAccounts = false } = this.#options;
    this.#server = this.#spawn('kube-apiserver', [
      `--etcd-servers=${this.#etcdUrl}`,
      `--bind-address=${address}`,
      `--advertise-address=${address}`,
      `--secure-port=${this.#port}`,
      `--cert-dir=${join(this.directory, 'certificates')}`,
      `--service-cluster-ip-range=${serviceCidrs.join(',')}`,
      `--token-auth-file=${join(this.directory, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${join(this.directory, 'accounts.pub')}`,
      `--service-account-signing-key-file=${join(this.directory, 'accounts.key')}`,
      '--allow-privileged=true',
      '--kubelet-preferred-address-types=InternalIP',
      // Nobody makes the default service accounts else.
      ...(serviceAccounts ? [] : ['--disable-admission-plugins=ServiceAccount']),
      // A watch that is behind is to meet what etcd has forgotten, and soon.
      '--etcd-compaction-interval=0',
      '--shutdown-delay-duration=0s',
      '--v=0',
    ]);
  }

  async #ready(): Promise<void> {
    const certificate = join(this.directory, 'certificates/apiserver.crt');
    let last: unknown = 'it has made no certificate';
    for (const deadline = Date.now() + READY_MS; Date.now() < deadline; ) {
      if (this.#server?.exitCode != null || this.#etcd?.exitCode != null) break;
      if (existsSync(certificate)) {
        this.#writeKubeconfig(readFileSync(certificate));
        const client = await this.client();
        try {
          await client.request('GET', '/readyz', { timeoutMs: 5_000 });
          return;
        } catch (error) {
          last = error;
        } finally {
          client.close();
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the API server does not come up: ${last}\n${this.#logTail()}`);
  }

  #writeKubeconfig(authorities: Buffer): void {
    const document = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'test', cluster: { server: this.url, 'certificate-authority-data': authorities.toString('base64') } },
      ],
      users: [{ name: 'admin', user: { token: this.#token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
      'current-context': 'test',
    };
    writeFileSync(this.kubeconfig, JSON.stringify(document), { mode: 0o600 });
  }

  #spawn(name: KubernetesProgram, args: readonly string[]): ChildProcess {
    const log = openSync(join(this.directory, `${name}.log`), 'a');
    // A group of its own: a Ctrl-C is for whoever started it.
    const child = spawn(findProgram(name)!, args, { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    child.on('error', () => {});
    if (child.pid !== undefined) this.#options.onSpawn?.(child.pid);
    return child;
  }

  async #etcdCall(method: string, body: unknown): Promise<unknown> {
    const response = await fetch(`${this.#etcdUrl}/v3/${method}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`etcd ${method}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  #logTail(): string {
    return (['etcd', 'kube-apiserver'] as const)
      .map((name) => join(this.directory, `${name}.log`))
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, 'utf8').trim().split('\n').slice(-5).join('\n'))
      .join('\n');
  }

  /** Takes the directory away too. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.kill(signal)) await ended;
}
