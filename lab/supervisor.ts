import { Cluster, type ClusterOptions } from './cluster.ts';
import { startControlServer } from './control-server.ts';
import { labLayout } from './lab-layout.ts';
import { sweep } from './network/sweep.ts';

// The process that is a lab's API server, controllers and kubelets. Its one argument is SupervisorOptions as JSON; the
// lab's folder exists. It tells its parent over the IPC channel how far it is.

export interface SupervisorOptions extends ClusterOptions {
  name: string;
  /** An owned lab ends with the process that started it, however that ends; a detached one stays. */
  owned: boolean;
}

export type SupervisorMessage =
  | { type: 'progress'; message: string }
  | { type: 'ready' }
  | { type: 'failed'; message: string };

const options = JSON.parse(process.argv[2] ?? '{}') as SupervisorOptions;
const layout = labLayout(options.name);
let ending: Promise<void> | undefined;
let cluster: Cluster | undefined;
let ready = false;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0));
process.on('disconnect', () => {
  // Who started a lab that does not stand yet has given up.
  if (options.owned || !ready) void end(0);
});
process.on('uncaughtException', (error) => {
  console.error(error);
  void end(1);
});

// Who started it was gone before it could be told.
if (!process.connected) await end(0);

try {
  cluster = new Cluster(layout, options);
  await cluster.start((message) => tell({ type: 'progress', message }));
  await startControlServer(cluster, layout.controlSocket);
  ready = true;
  if (ending === undefined) tell({ type: 'ready' });
  if (!options.owned && process.connected) process.disconnect();
} catch (error) {
  console.error(error);
  if (ending === undefined) {
    tell({ type: 'failed', message: (error as Error).message });
    await end(1);
  }
}

function end(code: number): Promise<void> {
  ending ??= (async () => {
    cluster?.stop();
    try {
      await sweep(layout);
    } catch (error) {
      console.error(`not everything could be removed: ${(error as Error).message}`);
      code = 1;
    }
    process.exit(code);
  })();
  return ending;
}

function tell(message: SupervisorMessage): void {
  if (process.connected) process.send?.(message);
}
