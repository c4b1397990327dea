import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ManifestSource, readSources } from './manifest/read-sources.ts';

const SCENARIOS = fileURLToPath(new URL('./scenarios', import.meta.url));

export interface Scenario {
  name: string;
  /** The first comment of its first manifest. */
  summary: string;
}

export function listScenarios(): Scenario[] {
  return readdirSync(SCENARIOS)
    .sort()
    .map((name) => {
      const [first] = readdirSync(join(SCENARIOS, name)).sort();
      const text = first === undefined ? '' : readFileSync(join(SCENARIOS, name, first), 'utf8');
      return { name, summary: /^# (.*)$/m.exec(text)?.[1] ?? '' };
    });
}

/** A scenario's manifests; undefined when there is none of that name. */
export function scenarioSources(name: string): ManifestSource[] | undefined {
  if (!listScenarios().some((scenario) => scenario.name === name)) return undefined;
  const dir = join(SCENARIOS, name);
  return existsSync(dir) ? readSources([dir]) : undefined;
}
