import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Command } from 'commander';
import { LabClient } from '#lab/client.ts';
import { enterContainer } from '#lab/enter-container.ts';
import { CommandError, MISUSE } from '../failure.ts';
import { type Named, verb } from './verb.ts';

export function execCommand(): Command {
  return verb('exec', 'run a command in a pod; its exit code is passed on')
    .argument('<namespace/pod>', 'a pod, or a workload for one of its pods')
    .argument('<command...>', 'after --')
    .option('-c, --container <name>', "the pod's first without it")
    .action(async (pod: string, command: string[], { name, container }: Named & { container?: string }) => {
      const [namespace, podName] = podReference(pod);
      const target = await new LabClient(name).execTarget(namespace, podName, container);
      const { file, args, options } = enterContainer(target, command);
      const child = spawn(file, args, { ...options, stdio: 'inherit' });
      // Ctrl-C is for the command, which shares this terminal; its end is ours.
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
      }
      process.exitCode = await new Promise<number>((resolve, reject) => {
        child.on('error', reject);
        child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
      });
    });
}

export function logsCommand(): Command {
  return verb('logs', "what a pod's container printed")
    .argument('<namespace/pod>', 'a pod, or a workload for one of its pods')
    .option('-c, --container <name>', "the pod's first without it")
    .action(logs);
}

async function logs(pod: string, { name, container }: Named & { container?: string }): Promise<void> {
  const [namespace, podName] = podReference(pod);
  process.stdout.write(await new LabClient(name).log(namespace, podName, container));
}

/** Reads "namespace/pod"; without a namespace it is "default". */
function podReference(text: string): [string, string] {
  const [namespace = '', pod = '', ...rest] = text.includes('/') ? text.split('/') : ['default', text];
  if (namespace === '' || pod === '' || rest.length > 0) {
    throw new CommandError(`"${text}" is not understood; expected namespace/pod`, MISUSE);
  }
  return [namespace, pod];
}
