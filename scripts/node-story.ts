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
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  BIN_DIR,
  BOX,
  CONF_DIR,
  doubled,
  helm,
  inAgent,
  kubectl,
  losses,
  NAMESPACE,
  pins,
  plugins,
  readyAgent,
  refused,
  rewriteNetwork,
  run,
  SOCKET,
  until,
} from './node-agents.ts';
import { type Report, reports, resent, sum, synsAgain } from './node-reports.ts';
import { type Attached, attachedBy, stillThere } from './node-residue.ts';
import { CLOSED_PODS, closedPod, STORY, storyManifest } from './node-workload.ts';
import { OTHER_LAYOUT, REFUSED, writeChangedAgent } from './other-layout.ts';

const { values } = parseArgs({
  options: {
    agent: { type: 'string' },
    backend: { type: 'string' },
    chart: { type: 'string', default: 'deploy/helm/waggle' },
  },
});
const cgroup = process.env.NODE_CGROUP ?? '';
const [agent = '', backend = ''] = [values.agent, values.backend];
if (BOX === '' || agent === '' || backend === '') {
  console.error('node-story: run it in scripts/node-cluster.ts, with --agent IMAGE --backend IMAGE');
  process.exit(1);
}
let failures = 0;

function say(text: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
}

function check(what: string, good: boolean): void {
  if (!good) failures++;
  say(`  ${good ? '✓' : '✗'} ${what}`);
}

/** Lets one thing happen to the agents and tells what the pods noticed of it. */
async function change(what: string, image: string, doIt: () => void): Promise<void> {
  say(what);
  const since = Date.now();
  const [resentBefore, synsBefore] = [resent(), synsAgain()];
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
  say(`  of new connections ${sum(caller!, 'late')} took over 2 s; ${synsAgain() - synsBefore} SYNs were sent again`);
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

/** An upgrade that cannot be: the programs that are at work stay, until it is taken back. */
async function refusal(image: string): Promise<void> {
  const had = attachedBy(pins()).programs;
  await change('upgrade to an image that the kernel refuses, taken back after 15 s: helm rollback', agent, () => {
    helm('upgrade', 'waggle', values.chart, ...setImages(image));
    // Synchronously, as `change` counts from here.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 15_000);
    const query = ['-n', NAMESPACE, 'get', 'pod', '-l', 'app.kubernetes.io/component=agent'];
    const states = kubectl(...query, '-o', 'jsonpath={..containerStatuses[0].lastState.terminated.message}');
    check('the agent ends with the verifier’s words', /combined stack size|stack limit|Too large/.test(states));
    const has = attachedBy(pins()).programs;
    check('the programs are those of before', had.every((id) => has.includes(id)) && has.length === had.length);
    helm('rollback', 'waggle', '1');
  });
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

function setImages(agentImage: string): string[] {
  const [repository, tag] = agentImage.split(/:(?=[^:]*$)/);
  const [backendRepository, backendTag] = backend.split(/:(?=[^:]*$)/);
  const set = [
    `image.agent.repository=${repository},image.agent.tag=${tag}`,
    `image.backend.repository=${backendRepository},image.backend.tag=${backendTag}`,
    `image.pullPolicy=Never,agent.services=on,agent.cgroupRoot=${cgroup}`,
    `agent.cni.binDir=${BIN_DIR},agent.cni.confDir=${CONF_DIR}`,
  ];
  return ['--set', set.join(',')];
}

async function story(): Promise<void> {
  say('images are made: one with another layout of the maps, one that the kernel refuses');
  const other = `${agent}-other-layout`;
  const refusedImage = `${agent}-refused`;
  const changed = [
    [other, OTHER_LAYOUT],
    [refusedImage, REFUSED],
  ] as const;
  for (const [name, edits] of changed) {
    const archive = join(BOX, `${name.replace(/.*:/, '')}.tar`);
    writeChangedAgent(agent, name, archive, edits);
    run('ctr', 'images', 'import', archive);
  }

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

  await refusal(refusedImage);
  await change('upgrade to another layout of the maps: helm upgrade', other, () =>
    helm('upgrade', 'waggle', values.chart, ...setImages(other)),
  );
  await change('and back: helm rollback', agent, () => helm('rollback', 'waggle', '3'));
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
  rewriteNetwork();
  const lacking = plugins().includes('waggle-cni');
  await until('the plugin is back in the list', () => plugins().at(-1) === 'waggle-cni');
  check('the network writes its list anew, and the plugin is put back', !lacking);
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
  const files = [...globSync(`${BIN_DIR}/*waggle*`), ...globSync('/run/waggle/agent/*')];
  check(`no file is left${files.map((path) => `, but ${path}`).join('')}`, files.length === 0);
  check('the network’s list is as it was', !plugins().includes('waggle-cni'));
  const query = ['-n', NAMESPACE, '-l', 'app.kubernetes.io/part-of=waggle', '-o', 'name'];
  const objects = () => kubectl('get', 'all,secrets,configmaps', ...query).trim();
  // Pods have half a minute to end.
  for (const deadline = Date.now() + 45_000; objects() !== '' && Date.now() < deadline; ) await sleep(500);
  const rest = objects();
  check(`no object is left${rest && `, but ${rest}`}`, rest === '');
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
  for (const log of globSync(join(BOX, `pods/${NAMESPACE}_*/*/*.log`))) {
    console.log(log, `\n${readFileSync(log, 'utf8').trim().split('\n').slice(-8).join('\n')}`);
  }
}
say(failures === 0 ? 'all as it should be' : `${failures} not as they should be`);
process.exitCode = failures === 0 ? 0 : 1;
