import { appendFileSync } from 'node:fs';
import type { FromProgramHost, ProgramStart, ToProgramHost } from './host-protocol.ts';
import { PodContext } from './pod-context.ts';
import { programs } from './registry.ts';

// The process of a node's program host: runs built-in programs as its kubelet asks, each in its pod's network.

const running = new Map<string, PodContext>();

process.on('message', (message: ToProgramHost) => {
  if (message.type === 'start') start(message.start);
  else stop(message.id);
});
// Without its kubelet nobody could stop it.
process.on('disconnect', () => process.exit(0));
tell({ type: 'ready' });

function start(request: ProgramStart): void {
  const { id, program, logPath } = request;
  const log = (line: string): void => {
    appendFileSync(logPath, `${new Date().toISOString()} ${line}\n`);
  };
  const run = programs[program];
  if (!run) {
    log(`there is no program "${program}"`);
    tell({ type: 'ended', id, code: 127 });
    return;
  }
  let context: PodContext;
  try {
    context = new PodContext(request, () => tell({ type: 'started', id }), log);
  } catch (error) {
    log((error as Error).message);
    tell({ type: 'ended', id, code: 126 });
    return;
  }
  running.set(id, context);
  // A turn later, so that a program that fails at once still fails as a rejection.
  void Promise.resolve()
    .then(() => run(context))
    .catch((error: Error) => {
      if (!context.signal.aborted) log(error.message);
      return 1;
    })
    .then((code) => {
      if (!running.delete(id)) return;
      context.close();
      tell({ type: 'ended', id, code });
    });
}

function stop(id: string): void {
  const context = running.get(id);
  running.delete(id);
  context?.close();
}

function tell(message: FromProgramHost): void {
  if (process.connected) process.send?.(message);
}
