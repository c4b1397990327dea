import { formatProblem, type Problem } from '#core/manifest/document.ts';
import type { ApplyResponse, DeleteResponse, ObjectName } from '#lab/control-requests.ts';
import { kindNamed } from '#lab/manifest/kinds.ts';

export function tellApplied({ results, problems, ignoredKinds }: ApplyResponse): void {
  for (const { outcome, ...object } of results) console.log(`${objectText(object)} ${outcome}`);
  tellIgnored(ignoredKinds);
  if (results.length + ignoredKinds.length + problems.length === 0) console.error('the manifests hold no object');
}

function tellIgnored(ignoredKinds: ApplyResponse['ignoredKinds']): void {
  for (const { kind, count: times } of ignoredKinds) {
    console.error(`${kind}: not kept by the lab, ignored${times > 1 ? ` (${times} objects)` : ''}`);
  }
}

export function failOnProblems(problems: Problem[]): void {
  for (const problem of problems) console.error(formatProblem(problem));
  if (problems.length > 0) process.exitCode = 1;
}

export function tellDeleted({ results, problems, ignoredKinds }: DeleteResponse, named: boolean): void {
  for (const { outcome, ...object } of results) {
    if (outcome === 'deleted') console.log(`${objectText(object)} deleted`);
    else console.error(`${objectText(object)} not found`);
  }
  tellIgnored(ignoredKinds);
  if (named && results.some(({ outcome }) => outcome === 'not found')) process.exitCode = 1;
  failOnProblems(problems);
}

/** `deployment.apps/web`, as kubectl names what it did. */
export function objectText({ kind, name }: ObjectName): string {
  const { group } = kindNamed(kind);
  return `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${name}`;
}
