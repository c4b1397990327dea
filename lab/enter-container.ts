import type { ExecTarget } from './control-requests.ts';
import { tool } from './kubelet/tool.ts';

export interface Invocation {
  file: string;
  args: string[];
  options: { cwd: string; env: Record<string, string> };
}

/** How to start a command inside a container: in its cgroup, its network, its mounts, with its environment. */
export function enterContainer(target: ExecTarget, command: string[]): Invocation {
  const script = `
    echo 0 > "$1/cgroup.procs" || exit 125
    shift
    exec "$@"`;
  const enter = [tool('nsenter'), '--target', String(target.pid), '--mount', '--uts', '--net', '--'];
  return {
    file: '/bin/sh',
    args: ['-c', script, 'sh', target.cgroup, ...enter, ...command],
    options: { cwd: target.workingDir, env: target.env },
  };
}
