import { spawn } from 'node:child_process';

export interface ToolResult {
  /** Exit code; 127 when the tool is not installed, 128 + signal number when a signal ended it. */
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs a system tool to its end and returns what it said. Never rejects: a failure is a status. */
export function runTool(tool: string, args: string[], input?: string): Promise<ToolResult> {
  return new Promise((resolve) => {
    const child = spawn(tool, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      const hint = error.code === 'ENOENT' ? `${tool} is not installed` : error.message;
      resolve({ status: 127, stdout, stderr: hint });
    });
    child.on('close', (code) => resolve({ status: code ?? 128, stdout, stderr }));
    child.stdin.on('error', () => {}); // the tool may end before it has read everything; its status tells
    child.stdin.end(input ?? '');
  });
}

/**
 * Runs many `ip` commands in one process, in the order given, in the named network namespace or the caller's own.
 * Rejects with the command that failed and what the kernel said of it; the commands after it were not run.
 */
export async function ipBatch(netns: string | undefined, commands: string[]): Promise<void> {
  if (commands.length === 0) return;
  const args = [...(netns === undefined ? [] : ['-n', netns]), '-batch', '-'];
  const { status, stderr } = await runTool('ip', args, `${commands.join('\n')}\n`);
  if (status === 0) return;
  const failed = /Command failed -:(\d+)/.exec(stderr);
  const command = failed ? commands[Number(failed[1]) - 1] : undefined;
  const where = netns === undefined ? '' : ` in ${netns}`;
  const said = stderr.replace(/Command failed -:\d+\s*/g, '').trim();
  throw new Error(`ip ${command ?? '-batch'}${where}: ${said || `status ${status}`}`);
}
