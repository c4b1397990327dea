/**
 * What keeps a process from doing its work, by condition: `cluster-state`, `datapath`, … Ready means that there is no such
 * thing. Conditions named at the start count as unmet until they are met once.
 */
export class Health {
  readonly #problems = new Map<string, string>();

  constructor(...conditions: string[]) {
    for (const condition of conditions) this.#problems.set(condition, 'not there yet');
  }

  met(condition: string): void {
    this.#problems.delete(condition);
  }

  /** @param problem one line for people: what is wrong, and what to do */
  unmet(condition: string, problem: string): void {
    this.#problems.set(condition, problem);
  }

  get ready(): boolean {
    return this.#problems.size === 0;
  }

  problems(): { condition: string; problem: string }[] {
    return [...this.#problems].map(([condition, problem]) => ({ condition, problem }));
  }
}
