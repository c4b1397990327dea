import type { ManifestSource } from '#lab/manifest/read-sources.ts';
import { listScenarios, scenarioSources } from '#lab/scenario.ts';
import { CommandError, MISUSE } from '../failure.ts';

export interface NamedScenario {
  readonly name: string;
  readonly sources: ManifestSource[];
}

/** Throws CommandError for a name that no scenario has. */
export function scenariosNamed(names: readonly string[]): NamedScenario[] {
  return names.map((name) => {
    const sources = scenarioSources(name);
    if (sources !== undefined) return { name, sources };
    const known = listScenarios().map((scenario) => scenario.name);
    throw new CommandError(`there is no scenario "${name}"; there are ${known.join(', ')}`, MISUSE);
  });
}
