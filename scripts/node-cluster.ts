/**
 * A Kubernetes of one node on this machine, without virtual machines or Docker, to see the chart and the images at work: API
 * server, controllers, scheduler, kubelet, containerd and runc with a bridge network, in namespaces of their own (network, mounts,
 * processes). When the command ends, or Ctrl-C comes, nothing of it is left.
 *
 *     node scripts/build-envtest.ts && node scripts/build-envtest.ts kubelet kube-controller-manager kube-scheduler
 *     apt-get install containerd runc containernetworking-plugins iptables buildah busybox-static
 *     node scripts/node-cluster.ts --image agent.tar --image backend.tar -- bash     # KUBECONFIG is set, kubectl and helm are found
 *
 * Images are archives as `buildah push IMAGE docker-archive:agent.tar:localhost/waggle-agent:0.1.0` writes them. Needs root and
 * cgroups of version 1 or 2.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findProgram, TestApiServer } from '#runtime/testing/api-server.ts';

const NODE = 'node-1';
/** The node's address, on a bridge without ports: whatever is in the box reaches it. */
const NODE_ADDRESS = '172.30.0.2';
const PODS = '10.244.0.0/24';
const SERVICES = '10.96.0.0/16';
const API_SERVICE = '10.96.0.1';
const PAUSE = 'localhost/pause:1';
/** What the kubelet insists on, and would write: here it finds it so, and the machine's own stay what they are. */
const SYSCTLS = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
};
const READY_MS = 180_000;
const PROGRAMS = ['etcd', 'kube-apiserver', 'kubectl', 'kubelet', 'kube-controller-manager', 'kube-scheduler'] as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { image: { type: 'string', multiple: true, default: [] }, inside: { type: 'string' } },
});
process.exitCode = values.inside === undefined ? await outside() : await inside(values.inside);

/** Makes the box, runs this file in it, and clears up. */
async function outside(): Promise<number> {
  for (const name of PROGRAMS) {
    if (findProgram(name) === undefined) return fail(`there is no ${name}: node scripts/build-envtest.ts ${name}`);
  }
  for (const name of ['containerd', 'ctr', 'runc', 'iptables', 'buildah', 'unshare']) {
    if (!onPath(name)) return fail(`there is no ${name}: apt-get install containerd runc iptables buildah util-linux`);
  }
  if (process.getuid?.() !== 0) return fail('run it as root');
  const work = mkdtempSync('/var/tmp/waggle-node-');
  const own = [import.meta.filename, '--inside', work, ...values.image.flatMap((path) => ['--image', resolve(path)])];
  const namespaces = [
    '--mount',
    '--propagation',
    'private',
    '--net',
    '--uts',
    '--ipc',
    '--pid',
    '--fork',
    '--kill-child',
  ];
  const box = spawn('unshare', [...namespaces, process.execPath, ...own, '--', ...positionals], { stdio: 'inherit' });
  // The shell inside answers a Ctrl-C itself.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => box.kill());
  const code = await new Promise<number>((done) => box.once('exit', (code) => done(code ?? 1)));
  for (const root of [...cgroupRoots('cgroup'), ...cgroupRoots('cgroup2')]) removeCgroups(join(root, basename(work)));
  rmSync(work, { recursive: true, force: true });
  return code;
}

async function inside(work: string): Promise<number> {
  const cgroup = makeCgroups(basename(work));
  prepareMounts(work);
  prepareNetwork();
  const config = (name: string, text: string): string => {
    mkdirSync(dirname(join(work, name)), { recursive: true });
    writeFileSync(join(work, name), text);
    return join(work, name);
  };
  mkdirSync(join(work, 'api'), { recursive: true });
  const api = await TestApiServer.start({
    directory: join(work, 'api'),
    address: NODE_ADDRESS,
    port: 443,
    serviceCidrs: [SERVICES],
    serviceAccounts: true,
  });
  const service = (name: string, program: string, args: string[]): ChildProcess => {
    const log = openSync(join(work, `${name}.log`), 'a');
    const child = spawn(program, args, { stdio: ['ignore', log, log], detached: true });
    child.once('exit', (code) => console.error(`${name} ended (${code}): ${tail(join(work, `${name}.log`))}`));
    return child;
  };

  const runtime = config('containerd.toml', containerdConfig(work));
  cpSync('/usr/lib/cni', join(work, 'cni/bin'), { recursive: true });
  config('cni/net.d/10-bridge.conflist', JSON.stringify(bridgeNetwork(work), null, 2));
  service('containerd', 'containerd', ['--config', runtime]);
  const ctr = ['--address', join(work, 'containerd.sock'), '--namespace', 'k8s.io'];
  await until('containerd', () => spawnSync('ctr', [...ctr, 'version']).status === 0);
  for (const archive of [pauseImage(work), ...values.image]) {
    execFileSync('ctr', [...ctr, 'images', 'import', archive], { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  const access = `--kubeconfig=${api.kubeconfig}`;
  service('kube-controller-manager', findProgram('kube-controller-manager')!, [
    access,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    `--cert-dir=${join(work, 'controllers')}`,
    `--service-account-private-key-file=${join(work, 'api/accounts.key')}`,
    `--root-ca-file=${join(work, 'api/certificates/apiserver.crt')}`,
  ]);
  service('kube-scheduler', findProgram('kube-scheduler')!, [
    access,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
  ]);
  service('kubelet', findProgram('kubelet')!, [
    access,
    `--config=${config('kubelet.json', JSON.stringify(kubeletConfig(work)))}`,
    `--root-dir=${join(work, 'kubelet')}`,
    `--cert-dir=${join(work, 'kubelet-certificates')}`,
    `--hostname-override=${NODE}`,
    `--node-ip=${NODE_ADDRESS}`,
  ]);
  await until('the node', () => {
    const query = ['get', 'node', NODE, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'];
    const { stdout } = spawnSync(findProgram('kubectl')!, [access, ...query], { encoding: 'utf8' });
    return stdout === 'True';
  });

  // Programs by name, as whoever works with a cluster has them.
  mkdirSync(join(work, 'bin'));
  for (const name of ['kubectl', 'helm'] as const) {
    const path = findProgram(name);
    if (path !== undefined) symlinkSync(path, join(work, 'bin', name));
  }
  const env = {
    ...process.env,
    PATH: `${join(work, 'bin')}${delimiter}${process.env.PATH}`,
    KUBECONFIG: api.kubeconfig,
    CONTAINERD_ADDRESS: join(work, 'containerd.sock'),
    CONTAINERD_NAMESPACE: 'k8s.io',
    NODE_CLUSTER: work,
    NODE_CGROUP: cgroup,
  };
  console.error(`node ${NODE} is ready; logs are in ${work}
for the chart: agent.cgroupRoot=${cgroup},agent.cni.binDir=${work}/cni/bin,agent.cni.confDir=${work}/cni/net.d`);
  const [command = 'bash', ...args] = positionals;
  const child = spawn(command, args, { stdio: 'inherit', env });
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill());
  return new Promise((done) => {
    child.once('error', (error) => done(fail(error.message)));
    child.once('exit', (code) => process.exit(code ?? 1));
  });
}

/**
 * Makes the node's groups and returns the one of version 2, so that programs on it see nobody else. Where version 1 is mounted
 * beside it, all that runs in the box is in it; else the kubelet's groups for pods are.
 */
function makeCgroups(name: string): string {
  const older = cgroupRoots('cgroup');
  for (const root of older) {
    const group = join(root, name);
    mkdirSync(group, { recursive: true });
    // A new group of this kind has neither, and takes no process.
    for (const file of ['cpuset.cpus', 'cpuset.mems'].filter((file) => existsSync(join(root, file)))) {
      writeFileSync(join(group, file), readFileSync(join(root, file)));
    }
  }
  const [root = '/sys/fs/cgroup'] = cgroupRoots('cgroup2');
  const group = join(root, name);
  mkdirSync(group, { recursive: true });
  if (older.length > 0) writeFileSync(join(group, 'cgroup.procs'), '0');
  return group;
}

/** This machine's files with the box's own /proc, /sys, /run and BPF file system. */
function prepareMounts(work: string): void {
  const mount = (...args: string[]): void =>
    void execFileSync('mount', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  mount('-t', 'proc', 'proc', '/proc');
  for (const [name, value] of Object.entries(SYSCTLS)) {
    const file = join(work, name.replaceAll('/', '.'));
    writeFileSync(
      file,
      `${value}
`,
    );
    mount('--bind', file, join('/proc/sys', name));
  }
  const kept = mkdtempSync('/var/tmp/waggle-node-cgroup-');
  mount('--rbind', '/sys/fs/cgroup', kept);
  mount('-t', 'sysfs', 'sysfs', '/sys');
  mount('--rbind', kept, '/sys/fs/cgroup');
  execFileSync('umount', ['-l', kept]);
  rmdirSync(kept);
  mount('-t', 'bpf', 'bpf', '/sys/fs/bpf');
  mount('-t', 'tmpfs', 'tmpfs', '/run');
  // As the kubelet wants it of a node: mounts of volumes reach containers.
  mount('--make-rshared', '/');
}

function prepareNetwork(): void {
  const ip = (...args: string[]): void => void execFileSync('ip', args);
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', 'uplink', 'type', 'bridge');
  ip('address', 'add', `${NODE_ADDRESS}/24`, 'dev', 'uplink');
  ip('link', 'set', 'uplink', 'up');
  ip('route', 'add', 'default', 'via', '172.30.0.1');
  // In kube-proxy's place, for what agents need before they balance Services themselves.
  for (const chain of ['PREROUTING', 'OUTPUT']) {
    const to = [
      '-d',
      API_SERVICE,
      '-p',
      'tcp',
      '--dport',
      '443',
      '-j',
      'DNAT',
      '--to-destination',
      `${NODE_ADDRESS}:443`,
    ];
    execFileSync('iptables', ['-t', 'nat', '-A', chain, ...to]);
  }
}

function containerdConfig(work: string): string {
  return `version = 2
root = "${work}/containerd"
state = "/run/containerd"
[grpc]
  address = "${work}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE}"
  # Machines that may not raise a process' priority have nodes too.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${work}/cni/bin"
    conf_dir = "${work}/cni/net.d"
`;
}

function bridgeNetwork(work: string): object {
  const dataDir = join(work, 'cni/addresses');
  const ipam = { type: 'host-local', dataDir, ranges: [[{ subnet: PODS }]], routes: [{ dst: '0.0.0.0/0' }] };
  const bridge = { type: 'bridge', bridge: 'cni0', isGateway: true, hairpinMode: true, ipam };
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [bridge, { type: 'portmap', capabilities: { portMappings: true } }],
  };
}

function kubeletConfig(work: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: NODE_ADDRESS,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${work}/containerd.sock`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${basename(work)}`,
    failCgroupV1: false,
    failSwapOn: false,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    oomScoreAdj: 0,
    podLogsDir: join(work, 'pods'),
    resolvConf: '',
  };
}

/** What holds a pod's namespaces: a program that sleeps. */
function pauseImage(work: string): string {
  const archive = join(work, 'pause.tar');
  const buildah = (...args: string[]): string => execFileSync('buildah', args, { encoding: 'utf8' }).trim();
  const container = buildah('from', 'scratch');
  buildah('copy', '--quiet', container, '/bin/busybox', '/busybox');
  buildah('config', '--entrypoint', '["/busybox","sleep","infinity"]', container);
  buildah('commit', '--quiet', container, `docker-archive:${archive}:${PAUSE}`);
  buildah('rm', container);
  return archive;
}

/** Where cgroup file systems are; the kubelet makes its groups for pods in each of one version. */
function cgroupRoots(type: 'cgroup' | 'cgroup2'): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts.map((line) => line.split(' ')).flatMap(([, path = '', kind]) => (kind === type ? [path] : []));
}

function removeCgroups(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) removeCgroups(path);
  }
  // Processes that were killed are gone a moment later.
  for (let tries = 50; ; tries--) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      if (tries === 0) {
        console.error(`${folder} stays: ${error}`);
        return;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
}

async function until(what: string, there: () => boolean): Promise<void> {
  for (const deadline = Date.now() + READY_MS; !there(); ) {
    if (Date.now() > deadline) throw new Error(`${what} does not become ready; its log says why`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function tail(path: string): string {
  return readFileSync(path, 'utf8').trim().split('\n').slice(-5).join('\n');
}

function onPath(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}

function fail(message: string): number {
  console.error(`node-cluster: ${message}`);
  return 1;
}
