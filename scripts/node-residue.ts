/** What the agent's pins hold in the kernel, by number, so that it can be told whether any of it is left when they are gone. */
import { spawnSync } from 'node:child_process';

export interface Attached {
  readonly programs: readonly number[];
  readonly maps: readonly number[];
  readonly links: readonly number[];
}

const KINDS = [
  ['programs', 'prog'],
  ['maps', 'map'],
  ['links', 'link'],
] as const;

/** Asks bpftool of each pin what it is. */
export function attachedBy(pins: readonly string[]): Attached {
  const found = { programs: new Set<number>(), maps: new Set<number>(), links: new Set<number>() };
  for (const pin of pins) {
    for (const [kind, word] of KINDS) {
      const object = ask(word, 'show', 'pinned', pin);
      if (object?.id === undefined) continue;
      found[kind].add(object.id);
      if (object.prog_id !== undefined) found.programs.add(object.prog_id);
      break;
    }
  }
  return { programs: [...found.programs], maps: [...found.maps], links: [...found.links] };
}

/** Which of it the kernel still knows. */
export function stillThere(attached: Attached): string[] {
  return KINDS.flatMap(([kind, word]) =>
    attached[kind].filter((id) => ask(word, 'show', 'id', `${id}`)?.id === id).map((id) => `${word} ${id}`),
  );
}

function ask(...args: string[]): { id?: number; prog_id?: number } | undefined {
  const { status, stdout } = spawnSync('bpftool', ['-j', ...args], { encoding: 'utf8' });
  if (status !== 0) return undefined;
  try {
    const answer = JSON.parse(stdout) as { id?: number; prog_id?: number } | { id?: number }[];
    return Array.isArray(answer) ? answer[0] : answer;
  } catch {
    return undefined;
  }
}
