import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { LabClient } from './client.ts';
import { cgroupProcesses } from './kubelet/cgroup.ts';
import { labLayout } from './lab-layout.ts';
import { readyPods, specLabName, traces, until } from './spec-lab.ts';
import { type Lab, startLab } from './start-lab.ts';
import { livingSupervisor } from './supervisor-record.ts';
import { takeDown } from './take-down.ts';

const WAGGLE = fileURLToPath(new URL('../cli/waggle.ts', import.meta.url));
const PODS = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: program, image: waggle.dev/lab/sleep}
        # Ends only by force, and leaves a child behind.
        - {name: stubborn, image: x, command: [sh, -c, "trap '' TERM; sleep 1000 & while :; do wait; done"]}
`;

const names: string[] = [];
function name(): string {
  const fresh = specLabName();
  names.push(fresh);
  return fresh;
}
afterEach(async () => {
  for (const one of names.splice(0)) await takeDown(one);
});

async function labWithPods(): Promise<Lab> {
  const lab = await startLab({ name: name(), agents: false });
  await lab.apply([{ name: 'pods.yaml', text: PODS }]);
  await readyPods(lab, 'default', 4);
  return lab;
}

/** Mounts and links there are on the machine, those of others' labs and tests left out. */
function machine(): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => !/^\/(run|tmp)\//.test(point));
  return [...mounts, ...readdirSync('/sys/class/net').filter((link) => !link.startsWith('wg'))].sort();
}

describe('a lab leaves nothing behind', () => {
  test('when it is taken down', async () => {
    const before = machine();
    const lab = await labWithPods();
    expect(traces(lab.name).length).toBeGreaterThan(10);
    vi.spyOn(process, 'getuid').mockReturnValueOnce(65_534);
    await expect(lab.down()).rejects.toThrow(/belongs to root: run this as root/);
    await lab.down();
    expect(traces(lab.name)).toEqual([]);
    expect(machine()).toEqual(before);
    await lab.ended;
  });

  test('when its supervisor was killed: what runs goes on, down removes it', async () => {
    const lab = await labWithPods();
    const { pid } = livingSupervisor(labLayout(lab.name))!;
    const { cgroup } = await lab.status();
    process.kill(pid, 'SIGKILL');
    await lab.ended;
    expect(cgroupProcesses(cgroup).length).toBeGreaterThan(8);
    await expect(lab.list('Pod')).rejects.toThrow(/has lost its supervisor; run "waggle lab down --name/);
    await takeDown(lab.name);
    expect(traces(lab.name)).toEqual([]);
  });

  test('when one of the same name is started after a crash', async () => {
    const lab = await labWithPods();
    process.kill(livingSupervisor(labLayout(lab.name))!.pid, 'SIGKILL');
    await lab.ended;
    const said: string[] = [];
    const again = await startLab({ name: lab.name, agents: false, nodes: 1, onProgress: (text) => said.push(text) });
    expect(said[0]).toMatch(/removing what a lab .* that crashed has left/);
    expect(await again.list('Pod', 'default')).toEqual([]);
    await again.down();
    expect(traces(lab.name)).toEqual([]);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('when its supervisor gets %s', async (signal) => {
    const lab = await startLab({ name: name(), agents: false, nodes: 1 });
    process.kill(livingSupervisor(labLayout(lab.name))!.pid, signal);
    await lab.ended;
    expect(traces(lab.name)).toEqual([]);
  });

  test('when the process that owns it is killed, however far it was', async () => {
    const owner = (lab: string): ChildProcess => {
      const module = JSON.stringify(fileURLToPath(new URL('./start-lab.ts', import.meta.url)));
      const script = `const { startLab } = await import(${module});
        await startLab({ name: ${JSON.stringify(lab)}, agents: false });
        console.log('up');
        setInterval(() => {}, 1000);`;
      return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    };
    const [late, early] = [name(), name()];
    const whenUp = owner(late);
    await once(whenUp.stdout!, 'data');
    whenUp.kill('SIGKILL');
    const whileStarting = owner(early);
    await until('the supervisor began', 60_000, () => livingSupervisor(labLayout(early)));
    whileStarting.kill('SIGKILL');
    for (const lab of [late, early]) {
      await until(`nothing of ${lab} is left`, 60_000, () => traces(lab).length === 0);
    }
  });

  test('when it could not start', async () => {
    const lab = name();
    const { path } = blockNetns(lab);
    try {
      await expect(startLab({ name: lab, agents: false })).rejects.toThrow(/netns add/);
    } finally {
      path.end();
    }
    expect(traces(lab)).toEqual([]);
  });
});

/** Takes the name of a network namespace the lab will want, in the moment it has begun to exist. */
function blockNetns(lab: string): { path: { end: () => void } } {
  const netns = `${labLayout(lab).netnsPrefix}node2`;
  let blocked = false;
  const timer = setInterval(() => {
    if (blocked || !livingSupervisor(labLayout(lab))) return;
    blocked = true;
    spawn('ip', ['netns', 'add', netns], { stdio: 'ignore' });
  }, 1);
  return { path: { end: () => clearInterval(timer) } };
}

describe('labs side by side', () => {
  test('do not share names, addresses or fates', async () => {
    const [one, two] = await Promise.all([
      startLab({ name: name(), agents: false, nodes: 1 }),
      startLab({ name: name(), agents: false, nodes: 1 }),
    ]);
    const addresses = (await Promise.all([one.status(), two.status()])).map(({ nodes }) => nodes[0]!.address.v4);
    expect(new Set(addresses.map((address) => address.split('.').slice(0, 2).join('.'))).size).toBe(2);
    await one.down();
    expect(await two.list('Namespace')).toHaveLength(2);
    expect(traces(one.name)).toEqual([]);
  });

  test('cannot have the same name', async () => {
    const lab = await startLab({ name: name(), agents: false, nodes: 1 });
    await expect(startLab({ name: lab.name, agents: false })).rejects.toThrow(
      /runs already; "waggle lab down --name \S+" ends it/,
    );
    expect(await lab.list('Namespace')).toHaveLength(2);
  });

  test('cannot have the same name, when started at the same moment', async () => {
    const one = name();
    const results = await Promise.allSettled([1, 2].map(() => startLab({ name: one, agents: false, nodes: 1 })));
    expect(results).toMatchObject([
      { status: 'fulfilled' },
      { reason: { message: expect.stringContaining('runs already') } },
    ]);
    expect(await new LabClient(one).list('Namespace')).toHaveLength(2);
  });

  test.each(['Upper', '-a', 'a.b', '', 'x'.repeat(31)])('cannot be called "%s"', async (bad) => {
    await expect(startLab({ name: bad })).rejects.toThrow(/lab name/);
  });
});

describe('the command', () => {
  async function waggle(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [WAGGLE, 'lab', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.stdin.end('from standard input\n');
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, stdout, stderr };
  }

  test('goes from up to down', async () => {
    const flags = ['--name', name()];
    const up = await waggle('up', '--no-agent', '--nodes', '2', ...flags);
    expect(up).toMatchObject({ status: 0, stdout: expect.stringMatching(/is up: 2 nodes/) });
    expect(await waggle('scenario', 'guestbook', ...flags)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('deployment.apps/web created\n'),
    });
    const lab = new LabClient(flags[1]!);
    await readyPods(lab, 'default', 3);
    const pods = await waggle('get', 'pods', '-A', ...flags);
    expect(pods.stdout).toMatch(
      /^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE\ndefault +maindb-\S+ +1\/1 +Running +0 +\d+s\n/,
    );
    const json = await waggle('get', 'deployment', 'web', '-o', 'json', ...flags);
    expect(JSON.parse(json.stdout)).toMatchObject({ kind: 'Deployment', metadata: { name: 'web' } });
    const exec = await waggle(
      'exec',
      'default/web',
      ...flags,
      '--',
      'sh',
      '-c',
      'cat; hostname; echo oops >&2; exit 42',
    );
    expect(exec.status).toBe(42);
    expect(exec.stdout).toMatch(/^from standard input\nweb-/);
    expect(exec.stderr).toBe('oops\n');
    expect((await waggle('scale', 'default/web=2', ...flags)).stdout).toBe('deployment.apps/web scaled\n');
    await readyPods(lab, 'default', 4);
    expect(await waggle('delete', 'deployment', 'web', ...flags)).toMatchObject({
      status: 0,
      stdout: 'deployment.apps/web deleted\n',
    });
    expect(await waggle('get', 'nonsense', ...flags)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('the lab keeps no "nonsense"'),
    });
    expect(await waggle('scale', 'web:2', ...flags)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('expected namespace/deployment=replicas'),
    });
    expect(await waggle('down', ...flags)).toMatchObject({ status: 0 });
    expect(traces(flags[1]!)).toEqual([]);
    expect(await waggle('get', 'pods', ...flags)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/is not running; "waggle lab up --name/),
    });
    expect(await waggle('down', ...flags), 'down twice is no fault').toMatchObject({ status: 0 });
  });
});
