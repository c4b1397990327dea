import type { Datapath } from '../loader/datapath.ts';
import type { RunDirectory } from '../run-directory.ts';
import { DatapathLosses } from './datapath-losses.ts';
import type { FlowLog } from './flow-log.ts';

const LOSSES_FILE = 'losses.json';

/** Ends idle connections, counts what there is, and tells what the kernel's tables and ring have lost. */
export class DatapathUpkeep {
  readonly #datapath: Datapath;
  readonly #run: Pick<RunDirectory, 'write'>;
  readonly #flows: Pick<FlowLog, 'lost' | 'lastSequence'>;
  readonly #losses: DatapathLosses;
  #connections = 0;
  /** Of clients outside: entries, and those that a full table has forgotten. */
  #external = { entries: 0, evicted: 0 };

  /** Tells what was lost while no agent ran. */
  constructor(
    datapath: Datapath,
    run: Pick<RunDirectory, 'read' | 'write'>,
    flows: Pick<FlowLog, 'lost' | 'lastSequence'>,
  ) {
    this.#datapath = datapath;
    this.#run = run;
    this.#flows = flows;
    this.#losses = new DatapathLosses(DatapathLosses.fromJson(run.read(LOSSES_FILE)));
    this.#noteLosses(undefined);
  }

  /** Entries of the connection table, as of the last sweep. */
  get connections(): number {
    return this.#connections;
  }

  /** The same of clients outside. */
  get externalConnections(): number {
    return this.#external.entries;
  }

  /** Entries that full tables have forgotten, by table. */
  get evictions(): { connections: number; external_connections: number } {
    return { connections: this.#losses.told.connections, external_connections: this.#external.evicted };
  }

  sweep(): void {
    // Counters first: connections opened during the walk must not count as evicted.
    const counters = this.#datapath.maps.counters.read();
    const { entered, left } = this.#datapath.maps.external.counts();
    const { visited, external } = this.#datapath.sweep();
    this.#connections = visited;
    this.#external = { entries: external, evicted: Math.max(this.#external.evicted, entered - left - external) };
    this.#noteLosses(this.#connections, counters);
  }

  #noteLosses(connections: number | undefined, counters = this.#datapath.maps.counters.read()): void {
    const entries = this.#losses.update(counters, connections, this.#flows.lastSequence);
    if (entries.length === 0) return;
    this.#run.write(LOSSES_FILE, `${JSON.stringify(this.#losses.told)}\n`);
    for (const entry of entries) this.#flows.lost(entry);
  }
}
