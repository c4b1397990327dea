import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '#runtime/testing/free-port.ts';
import { eventually } from './eventually.ts';

const RULES = fileURLToPath(new URL('../deploy/prometheus/waggle-alerts.yaml', import.meta.url));

/** A real Prometheus: what WAGGLE_PROMETHEUS names, or the one on the path; undefined where there is none. */
export const PROMETHEUS = findPrometheus();

function findPrometheus(): string | undefined {
  const path = process.env.WAGGLE_PROMETHEUS ?? 'prometheus';
  try {
    execFileSync(path, ['--version'], { stdio: 'pipe' });
    return path;
  } catch {
    return undefined;
  }
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Scrapes its targets every second, with the example alerts loaded. */
export class Prometheus {
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly url: string;

  private constructor(child: ChildProcess, directory: string, url: string) {
    this.#child = child;
    this.#directory = directory;
    this.url = url;
  }

  static async start(jobs: Readonly<Record<string, readonly string[]>>): Promise<Prometheus> {
    const directory = mkdtempSync(join(tmpdir(), 'waggle-prometheus-'));
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [RULES],
      scrape_configs: Object.entries(jobs).map(([job_name, targets]) => ({ job_name, static_configs: [{ targets }] })),
    };
    writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config));
    const listen = `127.0.0.1:${await freePort()}`;
    const args = [
      `--config.file=${directory}/prometheus.yml`,
      `--storage.tsdb.path=${directory}/data`,
      `--web.listen-address=${listen}`,
    ];
    const child = spawn(PROMETHEUS!, args, { stdio: 'ignore' });
    const prometheus = new Prometheus(child, directory, `http://${listen}`);
    try {
      await eventually('Prometheus is ready', 30_000, async () =>
        fetch(`${prometheus.url}/-/ready`).then(
          ({ ok }) => ok,
          () => false,
        ),
      );
      return prometheus;
    } catch (error) {
      await prometheus.stop();
      throw error;
    }
  }

  async query(expression: string): Promise<Sample[]> {
    const answer = await fetch(`${this.url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { data, error } = (await answer.json()) as {
      data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
      error?: string;
    };
    if (data === undefined) throw new Error(`${expression}: ${error}`);
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** Targets by health: `up`, `down`, `unknown`. */
  async targets(): Promise<{ job: string; health: string; lastError: string }[]> {
    const answer = await fetch(`${this.url}/api/v1/targets`);
    const { data } = (await answer.json()) as {
      data: { activeTargets: { labels: { job: string }; health: string; lastError: string }[] };
    };
    return data.activeTargets.map(({ labels, health, lastError }) => ({ job: labels.job, health, lastError }));
  }

  /** Alerts by name and health of their rule; `told` is what their annotations say. */
  async rules(): Promise<{ name: string; query: string; health: string; lastError?: string; told: string }[]> {
    const answer = await fetch(`${this.url}/api/v1/rules`);
    const { data } = (await answer.json()) as {
      data: {
        groups: { rules: { name: string; query: string; health: string; lastError?: string; annotations: object }[] }[];
      };
    };
    const rules = data.groups.flatMap((group) => group.rules);
    return rules.map(({ annotations, ...rule }) => ({ ...rule, told: Object.values(annotations).join(' ') }));
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGTERM');
    await ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
