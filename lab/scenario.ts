import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
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

/** A step of a scenario that is walked in steps. */
export interface Stage {
  /** `a`, `b`, … */
  letter: string;
  /** The first comment of its manifest. */
  summary: string;
  source: ManifestSource;
}

const STAGE_FILE = /^([a-z])-[^/]*$/;

/** The stages of a scenario whose manifests are called `a-…`, `b-…`, in order; none for other scenarios. */
export function scenarioStages(name: string): Stage[] {
  const sources = allSources(name) ?? [];
  return sources.flatMap((source) => {
    const letter = STAGE_FILE.exec(basename(source.name))?.[1];
    return letter === undefined ? [] : { letter, summary: /^# (.*)$/m.exec(source.text)?.[1] ?? '', source };
  });
}

/** A scenario's manifests, those of its first stage if it has stages; undefined when there is none of that name. */
export function scenarioSources(name: string): ManifestSource[] | undefined {
  const [first] = scenarioStages(name);
  return first === undefined ? allSources(name) : [first.source];
}

function allSources(name: string): ManifestSource[] | undefined {
  if (!listScenarios().some((scenario) => scenario.name === name)) return undefined;
  const dir = join(SCENARIOS, name);
  return existsSync(dir) ? readSources([dir]).map(repeated) : undefined;
}

const REPEAT = /^# repeat: (\d{1,5})\n/;

/** A manifest that begins with `# repeat: N` stands N times, with its number from 0 in the place of $(INDEX). */
function repeated(source: ManifestSource): ManifestSource {
  const count = Number(REPEAT.exec(source.text)?.[1] ?? 0);
  if (count === 0) return source;
  const texts = Array.from({ length: count }, (_, index) => source.text.replaceAll('$(INDEX)', String(index)));
  return { ...source, text: texts.join('---\n') };
}
