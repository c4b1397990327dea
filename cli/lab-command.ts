import { Argument, Command, Option } from 'commander';
import { textTable } from '#core/observe/text-table.ts';
import { LabClient } from '#lab/client.ts';
import type { AgentAction } from '#lab/control-requests.ts';
import { startLab } from '#lab/start-lab.ts';
import { labExists, takeDown } from '#lab/take-down.ts';
import { count } from '#runtime/settings/parsers.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { labSourceSetting } from './cluster-source-settings.ts';
import { applyCommand, deleteCommand, getCommand, scaleCommand } from './lab/object-verbs.ts';
import { execCommand, logsCommand } from './lab/pod-verbs.ts';
import { scenarioCommand } from './lab/scenario-verb.ts';
import { type Named, outputOption, verb } from './lab/verb.ts';

interface UpFlags extends Named {
  nodes: number;
  agent: boolean;
  cgroupDriver: 'systemd' | 'cgroupfs';
  source: 'folder' | 'kubernetes';
}

/** `waggle lab`: a small cluster on this machine. */
export function labCommand(): Command {
  const lab = new Command('lab').description(
    'A small cluster on this machine, from ordinary Kubernetes manifests: network namespaces as nodes and pods.',
  );
  lab.addCommand(upCommand());
  lab.addCommand(verb('down', 'remove a lab and everything of it, after a crash as well').action(down));
  lab.addCommand(verb('status', "the lab's nodes and their agents").addOption(outputOption()).action(status));
  lab.addCommand(applyCommand());
  lab.addCommand(deleteCommand());
  lab.addCommand(getCommand());
  lab.addCommand(execCommand());
  lab.addCommand(logsCommand());
  lab.addCommand(scaleCommand());
  lab.addCommand(scenarioCommand());
  lab.addCommand(
    verb('agent', "end or start a node's agent, to see what happens")
      .addArgument(new Argument('<action>').choices(['start', 'stop', 'restart', 'kill']))
      .argument('<node>')
      .action(async (action: AgentAction, node: string, { name }: Named) => {
        const { agent } = await new LabClient(name).agent(node, action);
        console.log(`agent of ${node}: ${agent}`);
      }),
  );
  return lab;
}

function upCommand(): Command {
  const command = verb('up', 'start a lab; returns when its nodes and agents stand');
  addSettings(
    command,
    setting<number>({
      flags: '--nodes <count>',
      description: 'how many nodes',
      environment: 'WAGGLE_LAB_NODES',
      parser: count(1, 32),
      default: 2,
    }),
    labSourceSetting(),
  );
  return command
    .option('--no-agent', 'leave the agents out, for baselines')
    .addOption(
      new Option('--cgroup-driver <driver>', "how the nodes' cgroups are named")
        .choices(['systemd', 'cgroupfs'])
        .default('systemd'),
    )
    .action(async (flags: UpFlags) => {
      const began = Date.now();
      await startLab({
        name: flags.name,
        nodes: flags.nodes,
        agents: flags.agent,
        cgroupDriver: flags.cgroupDriver,
        source: flags.source,
        detached: true,
        onProgress: (message) => console.error(message),
      });
      console.log(`lab "${flags.name}" is up: ${flags.nodes} nodes, ${((Date.now() - began) / 1000).toFixed(1)} s`);
    });
}

async function down({ name }: Named): Promise<void> {
  const there = labExists(name);
  await takeDown(name);
  console.log(there ? `lab "${name}" is removed` : `there was no lab "${name}"`);
}

async function status({ name, output }: Named & { output: string }): Promise<void> {
  const lab = await new LabClient(name).status();
  if (output === 'json') return console.log(JSON.stringify(lab, null, 2));
  const rows = lab.nodes.map(({ name: node, address, netns, agent }) => [node, address.v4, address.v6, netns, agent]);
  process.stdout.write(textTable([['NODE', 'IPV4', 'IPV6', 'NETWORK NAMESPACE', 'AGENT'], ...rows]));
}
