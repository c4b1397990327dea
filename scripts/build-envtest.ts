// Builds what the specs of the Kubernetes source run against, from its public Go modules and outside the repository: etcd,
// kube-apiserver, kubectl and helm. They are found by lab/kubernetes/api-server.ts, which takes KUBEBUILDER_ASSETS where that is set.
// Needs Go and some 6 GB of disk; takes half an hour, at the lowest priority and one compiler at a time.
// Only when named: what makes a node of a machine, for scripts/node-cluster.ts.
// Run: node scripts/build-envtest.ts [etcd|kube-apiserver|helm|kubectl|kubelet|kube-controller-manager|kube-scheduler …]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const KUBERNETES = '1.36.3';
const ETCD = '3.6.16';
const HELM = '4.3.1';
const directory = process.env.KUBEBUILDER_ASSETS || join(homedir(), '.cache/waggle', `envtest-${KUBERNETES}`);

const ONLY_WHEN_NAMED: readonly string[] = ['kubelet', 'kube-controller-manager', 'kube-scheduler'];

interface Program {
  readonly name: string;
  readonly module: string;
  readonly version: string;
  readonly command: string;
}

const PROGRAMS: readonly Program[] = [
  { name: 'etcd', module: 'go.etcd.io/etcd/server/v3', version: ETCD, command: 'go.etcd.io/etcd/server/v3' },
  ...['kube-apiserver', 'kubectl', ...ONLY_WHEN_NAMED].map((name) => ({
    name,
    module: 'k8s.io/kubernetes',
    version: KUBERNETES,
    command: `k8s.io/kubernetes/cmd/${name}`,
  })),
  { name: 'helm', module: 'helm.sh/helm/v4', version: HELM, command: 'helm.sh/helm/v4/cmd/helm' },
];

const asked = process.argv.slice(2);
for (const program of PROGRAMS) {
  // Debian has an etcd of its own, which does.
  const unasked = !ONLY_WHEN_NAMED.includes(program.name) && (program.name !== 'etcd' || !onPath('etcd'));
  if (asked.length === 0 ? unasked : asked.includes(program.name)) build(program);
}

function onPath(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}

function build({ name, module, version, command }: Program): void {
  const binary = join(directory, name);
  if (existsSync(binary)) {
    console.log(`${binary} is there already`);
    return;
  }
  const work = join(directory, 'build', module.replaceAll('/', '_'));
  mkdirSync(work, { recursive: true });
  const go = (...args: string[]) =>
    execFileSync('nice', ['-n', '19', 'go', ...args], {
      cwd: work,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod -p=1', GOTOOLCHAIN: 'local' },
    });
  writeFileSync(join(work, 'go.mod'), 'module envtest\n\ngo 1.25\n');
  const { GoMod } = JSON.parse(go('mod', 'download', '-json', `${module}@v${version}`)) as { GoMod: string };
  // Kubernetes' own go.mod points at the folders of its repository; outside it, at the modules published from them. Other
  // replacements are the module's own choice of versions, which only the main module may make.
  const replaced = [...readFileSync(GoMod, 'utf8').matchAll(/^\s*(?:replace )?(\S+) => \.\/staging\/src\/\S+$/gm)];
  const staging = replaced.map(([, path]) => `replace ${path} => ${path} ${version.replace(/^1/, 'v0')}\n`);
  writeFileSync(
    join(work, 'go.mod'),
    `module envtest\n\ngo 1.25\n\nrequire ${module} v${version}\n\n${staging.join('')}`,
  );
  const stamp = name.startsWith('kube')
    ? ['gitVersion=v', 'gitMajor=', 'gitMinor='].map((field, index) => {
        const value = index === 0 ? KUBERNETES : (KUBERNETES.split('.')[index - 1] as string);
        return `-X k8s.io/component-base/version.${field}${value}`;
      })
    : [];
  // Renamed when whole, so that a build that was cut short is no program.
  go('build', '-trimpath', '-ldflags', ['-s -w', ...stamp].join(' '), '-o', `${binary}.new`, command);
  renameSync(`${binary}.new`, binary);
  console.log(`built ${binary}`);
}
