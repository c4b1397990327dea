import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { CommandError, MISUSE, reportFailure } from './failure.ts';

/** Each verb stands in `cli/<name>-command.ts` and is loaded only when it is asked for: `waggle --help` starts no engine. */
const COMMANDS: Readonly<Record<string, string>> = {
  demo: 'a lab cluster with real traffic, its agents, the backend and the page',
  doctor: 'check what Waggle needs on this machine, with the fix for what is missing',
  status: 'nodes, flows per second and losses',
  observe: 'print flows as they happen',
  list: 'nodes and namespaces',
  watch: 'who serves flows, as it changes',
  agent: 'run the agent of one node',
  backend: 'run the relay, the API and the page',
  lab: 'a small cluster on this machine, from Kubernetes manifests',
  policy: 'what network policies say: explain, test, validate',
  service: 'Services: their backends, and where a connection would go',
  install: 'put Waggle into a Kubernetes cluster',
  uninstall: 'take it out again, off every node',
  bench: 'measure speed and memory against their goals',
};

// An agent that is started again is needed at once: compiled, its sources load in half the time (0.6 → 0.36 s). Beside the
// dependencies, and not where everybody may write: what lies in the cache is run.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/waggle', import.meta.url)));

// `waggle observe | head`: the reader has what it wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  // The terminal is gone. SIGHUP says so too, and is what a command that has something to clean up acts on.
  if (error.code === 'EIO') return;
  process.exit(reportFailure(new CommandError(`cannot write: ${error.message}`)));
});
process.stderr.on('error', () => {});

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const program = new Command('waggle')
  .description('A live service map of a Kubernetes cluster, from eBPF.')
  .version(version)
  .enablePositionalOptions();

const asked = process.argv.slice(2).find((word) => !word.startsWith('-') && word !== 'help');
for (const [name, summary] of Object.entries(COMMANDS)) {
  program.addCommand(name === asked ? (await load(name)).summary(summary) : new Command(name).description(summary));
}

explainMisuse(program, 'waggle');

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}

/** A command that is not understood ends with code 2, and points to its own help. */
function explainMisuse(command: Command, words: string): void {
  command.showHelpAfterError(`(${words} --help says what is possible)`);
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : MISUSE));
  for (const verb of command.commands) explainMisuse(verb, `${words} ${verb.name()}`);
}

async function load(name: string): Promise<Command> {
  const module = (await import(`./${name}-command.ts`)) as Record<string, (() => Command) | undefined>;
  const make = module[`${name}Command`];
  if (make === undefined) throw new TypeError(`cli/${name}-command.ts does not export ${name}Command`);
  return make();
}
