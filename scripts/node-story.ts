/**
 * The chart and both images on a kubelet, from install to uninstall, while programs in pods look for what leaks and what breaks:
 * upgrade to another layout of the kernel's maps, rollback, the CNI plugin, and what is left at the end. To be run on the node
 * that scripts/node-cluster.ts makes, with the archives that were given to it:
 *
 *     node scripts/node-cluster.ts --image agent.tar --image backend.tar -- \
 *       node scripts/node-story.ts --agent localhost/waggle-agent:0.2.0 --backend localhost/waggle-backend:0.2.0
 *
 * Tells what was seen step by step; exit code 1 when something was not as it should be. About five minutes.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Attached, attachedBy, stillThere } from './node-residue.ts';
import { CLOSED_PODS, closedPod, STORY, storyManifest } from './node-workload.ts';
import { writeOtherLayout } from './other-layout.ts';

const { values } = parseArgs({
  options: {
    agent: { type: 'string' },
    backend: { type: 'string' },
    chart: { type: 'string', default: 'deploy/helm/waggle' },
  },
});
const { NODE_CLUSTER: box = '', NODE_CGROUP: cgroup = '' } = process.env;
const [agent = '', backend = ''] = [values.agent, values.backend];
if (box === '' || agent === '' || backend === '') {
  console.error('node-story: run it in scripts/node-cluster.ts, with --agent IMAGE --backend IMAGE');
  process.exit(1);
}
const NAMESPACE = 'waggle';
const PINS = '/sys/fs/bpf/waggle';
const READY_MS = 180_000;
const METRICS = 'http://172.30.0.2:9965/metrics';
const SOCKET = 'unix:///run/waggle/agent/agent.sock';
const confDir = join(box, 'cni/net.d');
const binDir = join(box, 'cni/bin');
let failures = 0;

function say(text: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
}

function check(what: string, good: boolean): void {
  if (!good) failures++;
  say(`  ${good ? '✓' : '✗'} ${what}`);
}

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const kubectl = (...args: string[]): string => run('kubectl', ...args);

async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  for (const deadline = Date.now() + READY_MS; ; await sleep(250)) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`not in ${READY_MS / 1000} s: ${what}`);
  }
}

/** What a prober has logged, one object per half second. */
interface Report {
  /** Milliseconds of the epoch. */
  readonly t: number;
  readonly [count: string]: number;
}

function reports(pod: string, since = 0): Report[] {
  const [log] = globSync(join(box, `pods/${STORY}_${pod}_*/probe/0.log`));
  if (log === undefined) return [];
  const lines = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'));
  return lines.map((line) => JSON.parse(line.slice(line.indexOf('{'))) as Report).filter(({ t }) => t >= since);
}

const sum = (list: readonly Report[], field: string): number => list.reduce((all, one) => all + (one[field] ?? 0), 0);

interface PodObject {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status: { readonly containerStatuses?: readonly { readonly ready: boolean }[] };
}

/** The agent pod that is not on its way out, when it is ready and of this image. */
function readyAgent(image: string): string | undefined {
  const query = ['-n', NAMESPACE, 'get', 'pod', '-l', 'app.kubernetes.io/component=agent', '-o', 'json'];
  const { items } = JSON.parse(kubectl(...query)) as { items: PodObject[] };
  const found = items.find(
    ({ metadata, spec, status }) =>
      metadata.deletionTimestamp === undefined &&
      spec.containers[0]?.image === image &&
      status.containerStatuses?.[0]?.ready === true,
  );
  return found?.metadata.name;
}

/** What `waggle …` says in the agent's container. */
function inAgent(...args: string[]): string {
  const pod = kubectl('-n', NAMESPACE, 'get', 'pod', '-l', 'app.kubernetes.io/component=agent', '-o', 'name').trim();
  return kubectl('-n', NAMESPACE, 'exec', pod, '-c', 'agent', '--', 'node', '/waggle/cli/bin.mjs', ...args);
}

function pins(): string[] {
  return globSync(`${PINS}/**`).filter((path) => !statSync(path).isDirectory());
}

/** Maps that have more than one pin: the layout of another version beside this one's. */
function doubled(): string[] {
  const names = pins().flatMap((path) => /\/maps\/(.+)-[0-9a-f]+$/.exec(path)?.[1] ?? []);
  return names.filter((name, index) => names.indexOf(name) !== index);
}

async function losses(): Promise<string> {
  const text = await (await fetch(METRICS)).text();
  const lines = text.split('\n').filter((line) => /^[a-z_]*lost[a-z_]*(\{| )/.test(line) && !line.endsWith(' 0'));
  return lines.join('; ') || 'none';
}

/** What both ends of the open connection had to send again so far. */
function resent(): number {
  return ['friend', 'server'].reduce((all, pod) => all + (reports(pod).at(-1)?.resent ?? 0), 0);
}

/** What the agent has dropped of a pod's packets. */
function refused(pod: string): string[] {
  const flags = ['--server', SOCKET, '--last', '5', '--verdict', 'DROPPED', '--pod', `${STORY}/${pod}`];
  return inAgent('observe', ...flags)
    .split('\n')
    .filter((line) => line !== '');
}

/** Lets one thing happen to the agents and tells what the pods noticed of it. */
async function change(what: string, image: string, doIt: () => void): Promise<void> {
  say(what);
  const since = Date.now();
  const resentBefore = resent();
  doIt();
  await until(`an agent of ${image} is ready`, () => readyAgent(image));
  const took = Date.now() - since;
  await sleep(5_000);
  const [friend, caller, foe, near] = ['friend', 'caller', 'foe', 'near'].map((pod) => reports(pod, since));
  const worst = (of: readonly Report[]): number => Math.max(...of.map(({ gap = 0 }) => gap));
  say(`  ready after ${(took / 1000).toFixed(1)} s; ${pins().length} pins; told as lost: ${await losses()}`);
  say(
    `  longest wait for an answer: ${worst(friend!)} ms, ${resent() - resentBefore} segments sent again; on the node's own loopback ` +
      `meanwhile: ${worst(near!)} ms`,
  );
  check(
    `the open connection stays: ${sum(friend!, 'answered')} answers`,
    sum(friend!, 'broken') === 0 && sum(friend!, 'answered') > 500,
  );
  const dropped = ['friend', 'caller'].flatMap((pod) => refused(pod));
  check(`nothing of theirs is dropped${dropped.map((line) => `, but ${line}`).join('')}`, dropped.length === 0);
  check(
    `new connections to the Service: ${sum(caller!, 'good')} made, ${sum(caller!, 'bad')} failed`,
    sum(caller!, 'bad') === 0 && sum(caller!, 'good') > 50,
  );
  check(
    `what policy denies: ${sum(foe!, 'tried')} tried, ${sum(foe!, 'connected')} came through`,
    sum(foe!, 'connected') === 0 && sum(foe!, 'tried') > 50,
  );
  check(
    `no map has two pins${doubled()
      .map((name) => `, but ${name}`)
      .join('')}`,
    doubled().length === 0,
  );
}

interface NewPods {
  /** Packets of theirs that came through. */
  readonly out: number;
  /** Packets that reached them: before their own process ran, and since. */
  readonly before: number;
  readonly in: number;
  /** Milliseconds until all ran and had told so. */
  readonly started: number;
}

/** Starts pods under a policy that lets nothing in or out and counts what they get through all the same. */
async function closedPods(round: string): Promise<NewPods> {
  const names = Array.from({ length: CLOSED_PODS }, (_, index) => `${round}-${index}`);
  const since = Date.now();
  const open = kubectl('-n', STORY, 'get', 'pod', 'open', '-o', 'jsonpath={.status.podIP}');
  const manifest = names.map((name) => closedPod(name, agent, open)).join('---\n');
  execFileSync('kubectl', ['apply', '-f', '-'], { input: manifest, stdio: ['pipe', 'ignore', 'inherit'] });
  await until(`pods ${round} have run for 3 s`, () => names.every((name) => reports(name).length > 6));
  const started = Date.now() - since;
  const addresses = names.map((name) => kubectl('-n', STORY, 'get', 'pod', name, '-o', 'jsonpath={.status.podIP}'));
  const heard = reports('open').at(-1)!;
  const result = {
    out: addresses.reduce((all, address) => all + (heard[address] ?? 0), 0),
    before: names.reduce((all, name) => all + (reports(name).at(-1)?.before ?? 0), 0),
    in: names.reduce((all, name) => all + (reports(name).at(-1)?.in ?? 0), 0),
    started,
  };
  kubectl('-n', STORY, 'delete', 'pod', '--grace-period=0', '--force', ...names);
  return result;
}

function said({ out, before, in: since, started }: NewPods): string {
  return (
    `${out} of their packets came through, ${since} reached them (${before} before there was a process); ` +
    `running for 3 s after ${(started / 1000).toFixed(1)} s`
  );
}

function helm(...args: string[]): string {
  return run('helm', ...args, '--namespace', NAMESPACE);
}

function setImages(agentImage: string): string[] {
  const [repository, tag] = agentImage.split(/:(?=[^:]*$)/);
  const [backendRepository, backendTag] = backend.split(/:(?=[^:]*$)/);
  const set = [
    `image.agent.repository=${repository},image.agent.tag=${tag}`,
    `image.backend.repository=${backendRepository},image.backend.tag=${backendTag}`,
    `image.pullPolicy=Never,agent.services=on,agent.cgroupRoot=${cgroup}`,
    `agent.cni.binDir=${binDir},agent.cni.confDir=${confDir}`,
  ];
  return ['--set', set.join(',')];
}

async function story(): Promise<void> {
  say('another layout: an image is made');
  const other = `${agent}-other-layout`;
  const archive = join(box, 'other-layout.tar');
  writeOtherLayout(agent, other, archive);
  run('ctr', 'images', 'import', archive);

  say('install');
  helm('install', 'waggle', values.chart, '--create-namespace', ...setImages(agent));
  execFileSync('kubectl', ['apply', '-f', '-'], { input: storyManifest(agent), stdio: ['pipe', 'ignore', 'inherit'] });
  await until('the agent is ready', () => readyAgent(agent));
  kubectl('-n', NAMESPACE, 'rollout', 'status', 'deployment/waggle-backend', '--timeout=120s');
  const status = spawnSync(process.execPath, ['cli/bin.mjs', 'status', '--kubernetes'], { encoding: 'utf8' });
  check('waggle status --kubernetes is content', status.status === 0);
  if (status.status !== 0) console.log(status.stdout, status.stderr);
  await until('traffic flows', () => sum(reports('friend'), 'answered') > 200 && sum(reports('caller'), 'good') > 10);
  await until('policy is in force', () => {
    const last = reports('foe').slice(-4);
    return last.length === 4 && sum(last, 'connected') === 0;
  });

  // As kube-proxy would have left them on the node.
  run('iptables', '-t', 'nat', '-N', 'KUBE-SERVICES');
  run('iptables', '-t', 'nat', '-A', 'KUBE-SERVICES', '-j', 'RETURN');
  const told = inAgent('status', '--server', SOCKET);
  check(
    'rules of kube-proxy are found without its tools',
    told.includes(': 1 iptables rules of kube-proxy are present'),
  );

  await change('upgrade to another layout of the maps: helm upgrade', other, () =>
    helm('upgrade', 'waggle', values.chart, ...setImages(other)),
  );
  await change('and back: helm rollback', agent, () => helm('rollback', 'waggle', '1'));
  await change('forth again: kubectl rollout undo', other, () =>
    kubectl('-n', NAMESPACE, 'rollout', 'undo', 'daemonset/waggle-agent'),
  );
  await change('and back: kubectl rollout undo', agent, () =>
    kubectl('-n', NAMESPACE, 'rollout', 'undo', 'daemonset/waggle-agent'),
  );

  say(`new pods under default-deny, without the CNI plugin (${CLOSED_PODS})`);
  const open = await closedPods('watched-late');
  say(`  ${said(open)}`);
  await change('the CNI plugin: helm upgrade --set agent.cni.enabled=true', agent, () => {
    helm('upgrade', 'waggle', values.chart, ...setImages(agent), '--set', 'agent.cni.enabled=true');
    // The image is the same: ready is whoever has the init container.
    kubectl('-n', NAMESPACE, 'rollout', 'status', 'daemonset/waggle-agent', '--timeout=120s');
  });
  check('the network’s list ends with the plugin', plugins().at(-1) === 'waggle-cni');
  const closed = await closedPods('closed-first');
  check(`new pods: ${said(closed)}`, closed.out === 0 && closed.in === 0);
  // The runtime is told to try again later, and does.
  kubectl('-n', NAMESPACE, 'delete', 'pod', '-l', 'app.kubernetes.io/component=agent', '--wait=false');
  const between = await closedPods('no-agent');
  check(`new pods while the agent is replaced: ${said(between)}`, between.out === 0 && between.in === 0);
  await until('the agent is ready', () => readyAgent(agent));
  const first = inAgent('observe', '--server', SOCKET, '--last', '3', '--verdict', 'DROPPED');
  say(`  the agent of them, in its own container:\n${first.trim()}`);

  say('uninstall');
  const had = attachedBy(pins());
  say(
    `  there are ${had.maps.length} maps, ${had.programs.length} programs, ${had.links.length} links, ${pins().length} pins`,
  );
  const out = spawnSync(process.execPath, ['cli/bin.mjs', 'uninstall'], { encoding: 'utf8' });
  check(`waggle uninstall: ${out.stdout.trim() || out.stderr.trim()}`, out.status === 0);
  helm('uninstall', 'waggle');
  await leftovers(had);
  await sleep(3_000);
  const friend = reports('friend', Date.now() - 2_000);
  check('the open connection goes on', sum(friend, 'answered') > 50 && sum(reports('friend'), 'broken') === 0);
  const after = await closedPods('after');
  check(`new pods start, and nothing is denied any more: ${after.out} of their packets came through`, after.out > 0);
}

function plugins(): string[] {
  const [list = ''] = globSync(join(confDir, '*.conflist'));
  return (JSON.parse(readFileSync(list, 'utf8')) as { plugins: { type: string }[] }).plugins.map(({ type }) => type);
}

async function leftovers(had: Attached): Promise<void> {
  check(
    `no pin is left${pins()
      .map((path) => ` ${path}`)
      .join('')}`,
    pins().length === 0,
  );
  // The kernel frees programs and maps a moment after their last user.
  const gone = Date.now() + 5_000;
  let left = stillThere(had);
  while (left.length > 0 && Date.now() < gone) {
    await sleep(250);
    left = stillThere(had);
  }
  check(`no program, map or link is left${left.map((one) => `, but ${one}`).join('')}`, left.length === 0);
  const files = [...globSync(`${binDir}/*waggle*`), ...globSync('/run/waggle/agent/*')];
  check(`no file is left${files.map((path) => `, but ${path}`).join('')}`, files.length === 0);
  check('the network’s list is as it was', !plugins().includes('waggle-cni'));
  const objects = kubectl(
    'get',
    'all,secrets,configmaps',
    '-n',
    NAMESPACE,
    '-l',
    'app.kubernetes.io/part-of=waggle',
    '-o',
    'name',
  );
  check(`no object is left${objects.trim() && `, but ${objects.trim()}`}`, objects.trim() === '');
}

try {
  if (!existsSync(join(values.chart, 'Chart.yaml'))) throw new Error(`there is no chart in ${values.chart}`);
  await story();
} catch (error) {
  failures++;
  say(`✗ ${(error as Error).message}`);
  const failed = error as { stderr?: string };
  if (failed.stderr) console.log(failed.stderr);
  console.log(spawnSync('kubectl', ['get', 'pods', '-A', '-o', 'wide'], { encoding: 'utf8' }).stdout);
  for (const log of globSync(join(box, `pods/${NAMESPACE}_*/*/*.log`))) {
    console.log(log, `\n${readFileSync(log, 'utf8').trim().split('\n').slice(-8).join('\n')}`);
  }
}
say(failures === 0 ? 'all as it should be' : `${failures} not as they should be`);
process.exitCode = failures === 0 ? 0 : 1;
