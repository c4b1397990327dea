import { Command } from 'commander';
import { count, objectName } from '#runtime/settings/parsers.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { labSourceSetting } from './cluster-source-settings.ts';
import type { DemoOptions } from './demo/run-demo.ts';
import { grpcListenSetting, listenSetting } from './listen-settings.ts';

/** `waggle demo [scenario…]`: everything at once, on one machine, with real traffic. */
export function demoCommand(): Command {
  const command = new Command('demo')
    .argument('[scenario...]', 'what runs in the cluster', ['guestbook', 'bookinfo'])
    .description(
      'A lab cluster with the traffic of the named scenarios, an agent on each node, the backend and the page. ' +
        'Prints the address of the page once flows arrive. Ctrl-C takes all of it down. ' +
        'Where eBPF cannot be used, traffic that was recorded is replayed, and the reason is said.',
    );
  addSettings(
    command,
    setting<string>({
      flags: '--name <name>',
      description: 'name of the lab; another one can run beside it',
      parser: objectName,
      default: 'waggle',
      environment: 'WAGGLE_LAB_NAME',
    }),
    setting<number>({
      flags: '--nodes <count>',
      description: 'nodes of the cluster',
      environment: 'WAGGLE_LAB_NODES',
      parser: count(1, 32),
      default: 2,
    }),
    labSourceSetting(),
    listenSetting,
    grpcListenSetting,
    setting<boolean>({
      flags: '--replay',
      description: 'replay recorded traffic: what happens by itself where eBPF cannot be used',
      default: false,
      environment: 'WAGGLE_REPLAY',
    }),
  );
  return command.action(async (scenarios: string[], options: Omit<DemoOptions, 'scenarios'>) => {
    const { runDemo } = await import('./demo/run-demo.ts');
    process.exitCode = await runDemo({ ...options, scenarios });
  });
}
