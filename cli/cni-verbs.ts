import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { RunDirectory } from '#bpf-agent/run-directory.ts';
import { path } from '#runtime/settings/parsers.ts';
import { addSettings, type Setting, setting } from '#runtime/settings/setting.ts';
import { CommandError } from './failure.ts';

/** `waggle agent cni-install` and `cni-uninstall`: the chained CNI plugin into the node's network, and out of it again. */
export function cniVerbs(runDirectory: Setting<never>): Command[] {
  const cniSettings = [
    setting<string>({
      flags: '--bin-dir <dir>',
      description: "the container runtime's folder of CNI plugins",
      parser: path,
      default: '/opt/cni/bin',
    }),
    setting<string>({
      flags: '--conf-dir <dir>',
      description: "its folder of networks' configurations",
      parser: path,
      default: '/etc/cni/net.d',
    }),
  ];
  const install = new Command('cni-install').description(
    "put the chained CNI plugin into the node's network: new pods are closed until their policy is known",
  );
  const uninstall = new Command('cni-uninstall').description('take it out again');
  return [
    addSettings(install, ...cniSettings, runDirectory).action(installCni),
    addSettings(uninstall, ...cniSettings).action(uninstallCni),
  ];
}

interface CniFlags {
  binDir: string;
  confDir: string;
}

async function installCni(flags: CniFlags & { runDir: string }): Promise<void> {
  const { installPlugin } = await import('#bpf-agent/cni/install-plugin.ts');
  const plugin = fileURLToPath(new URL('../dist/cni', import.meta.url));
  if (!existsSync(plugin)) throw new CommandError(`${plugin} is not there: node scripts/build-cni.ts makes it`);
  console.log(`${installPlugin(flags, plugin, new RunDirectory(flags.runDir).socket)} names waggle-cni`);
}

async function uninstallCni(flags: CniFlags): Promise<void> {
  const { uninstallPlugin } = await import('#bpf-agent/cni/install-plugin.ts');
  const changed = uninstallPlugin(flags);
  console.log(changed.length === 0 ? 'no network named waggle-cni' : `taken out of ${changed.join(', ')}`);
}
