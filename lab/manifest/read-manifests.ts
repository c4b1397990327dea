import { type Problem, parseManifest } from '#core/manifest/document.ts';
import type { ManifestSource } from './read-sources.ts';
import { type Manifest, validate } from './validate.ts';

export interface Manifests {
  manifests: Manifest[];
  problems: Problem[];
  /** Kinds the lab does not keep, each once, with how often it stood in the sources. */
  ignoredKinds: { kind: string; count: number }[];
}

/** Everything the sources hold, in order. A broken object is a problem; the others are still there. */
export function readManifests(sources: ManifestSource[]): Manifests {
  const manifests: Manifest[] = [];
  const problems: Problem[] = [];
  const ignored = new Map<string, number>();
  for (const { name, text, unreadable } of sources) {
    if (unreadable !== undefined) {
      problems.push({ file: name, line: 0, column: 0, message: unreadable });
      continue;
    }
    const parsed = parseManifest(name, text);
    problems.push(...parsed.problems);
    for (const document of parsed.documents) {
      const checked = validate(document);
      if (checked.outcome === 'valid') manifests.push(checked.manifest);
      else if (checked.outcome === 'invalid') problems.push(...checked.problems);
      else ignored.set(checked.kind, (ignored.get(checked.kind) ?? 0) + 1);
    }
  }
  return { manifests, problems, ignoredKinds: [...ignored].map(([kind, count]) => ({ kind, count })) };
}
