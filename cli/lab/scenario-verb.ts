import type { Command } from 'commander';
import { textTable } from '#core/observe/text-table.ts';
import { LabClient } from '#lab/client.ts';
import { listScenarios, scenarioSources, scenarioStages } from '#lab/scenario.ts';
import { CommandError, MISUSE } from '../failure.ts';
import { failOnProblems, tellApplied } from './tell-objects.ts';
import { type Named, verb } from './verb.ts';

export function scenarioCommand(): Command {
  return verb('scenario', 'apply a ready-made scenario to the running lab; "list" names them')
    .argument('<name>', 'a scenario, or "list"')
    .option(
      '--stage <letter>',
      'of a scenario that is walked in stages: apply all up to it, and take back what comes after',
    )
    .action(scenario);
}

async function scenario(wanted: string, { name, stage }: Named & { stage?: string }): Promise<void> {
  const scenarios = listScenarios();
  if (wanted === 'list') {
    process.stdout.write(textTable(scenarios.map((one) => [one.name, one.summary])));
    return;
  }
  const sources = scenarioSources(wanted);
  if (!sources) {
    throw new CommandError(
      `there is no scenario "${wanted}"; there are ${scenarios.map((one) => one.name).join(', ')}`,
      MISUSE,
    );
  }
  const stages = scenarioStages(wanted);
  const last = stage === undefined ? 0 : stages.findIndex(({ letter }) => letter === stage);
  if (last < 0) {
    const known = stages.map(({ letter }) => letter).join(', ') || 'none';
    throw new CommandError(`scenario ${wanted} has no stage "${stage}"; it has ${known}`, MISUSE);
  }
  const lab = new LabClient(name);
  const later = stages.slice(last + 1).map(({ source }) => source);
  if (later.length > 0) await lab.delete({ sources: later });
  const response = await lab.apply(
    stages.length === 0 ? sources : stages.slice(0, last + 1).map(({ source }) => source),
  );
  tellApplied(response);
  failOnProblems(response.problems);
  for (const [index, { letter, summary }] of stages.entries()) {
    const here = index === last ? '>' : ' ';
    console.log(`${here} ${letter}  ${summary}`);
  }
}
