import { readdirSync, readFileSync } from 'node:fs';
import { labLayout, nodeRunDir } from '#lab/lab-layout.ts';

/** The process id of a lab node's agent, or undefined while none runs. */
export function agentProcess(lab: string, node: string): number | undefined {
  const runDir = nodeRunDir(labLayout(lab), node);
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const words = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
      const isAgent = words.includes('agent') && words.includes('--run-dir') && words.includes(runDir);
      const running = !/^State:\s+Z/m.test(readFileSync(`/proc/${entry}/status`, 'utf8'));
      // What launches the agent (a shell, nsenter) carries the same words; the agent itself runs Node.
      if (isAgent && running && /(^|\/)node$/.test(words[0])) return Number(entry);
    } catch {
      // It ended while we looked.
    }
  }
  return undefined;
}
