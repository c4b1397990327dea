import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DROP_REASON } from '#core/flow/drop-reason.ts';
import { OBSERVATION } from '#core/flow/observation.ts';
import type { PolicyReference } from '#core/flow/policy-decision.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { type ToldFlow, toldFlows } from './flow-reader.ts';
import { Lab, type LabPod } from './lab.ts';

// Network policy, walked stage by stage with HTTP requests of its own beside the scenario's traffic.

const PORTS: Readonly<Record<string, number>> = { frontend: 80, backend: 6379, client: 9000, deathstar: 80 };

/** Who has no answer by then gets none: less than it takes a SYN to be sent again. */
const SILENT_MS = 900;

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.up();
});

afterAll(async () => {
  await lab?.down();
});

/** `from>to` → whether a request was answered. */
async function probe(pods: readonly LabPod[], pairs: readonly string[]): Promise<Record<string, boolean>> {
  const bySource = Map.groupBy(pairs, (pair) => pair.split('>')[0]);
  const answered: Record<string, boolean> = {};
  await Promise.all(
    [...bySource].map(async ([source, own]) => {
      const from = podOf(pods, source);
      const urls = own.map((pair) => {
        const to = pair.split('>')[1];
        return `http://${podOf(pods, to).status.podIPs![0].ip}:${PORTS[to]}/status`;
      });
      const script = `Promise.all(${JSON.stringify(urls)}.map((url) => new Promise((done) => {
        const request = require('http').get(url, { agent: false, timeout: ${SILENT_MS} }, (answer) => { answer.resume(); done(true); });
        request.on('timeout', () => request.destroy()).on('error', () => done(false));
      }))).then((all) => console.log(JSON.stringify(all)))`;
      const name = `${from.metadata.namespace}/${from.metadata.name}`;
      const all = JSON.parse(await lab.exec(name, [process.execPath, '-e', script])) as boolean[];
      for (const [index, pair] of own.entries()) answered[pair] = all[index];
    }),
  );
  return answered;
}

function podOf(pods: readonly LabPod[], workload: string): LabPod {
  const pod = pods.find(({ metadata }) => metadata.name === workload || metadata.name.startsWith(`${workload}-`));
  if (pod === undefined) throw new Error(`no pod of ${workload}`);
  return pod;
}

/**
 * Probes until what is answered is what is expected, and what agents told of that very probe is too: the policy just applied takes
 * a moment, also in the middle of a probe.
 */
async function expectAnswered(
  pods: readonly LabPod[],
  expected: Record<string, boolean>,
  faultsOf: (flows: Map<string, ToldFlow[]>) => unknown[] = () => [],
): Promise<void> {
  const pairs = Object.keys(expected);
  let answered: Record<string, boolean> = {};
  let faults: unknown[] = [];
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    const sinceMs = Date.now();
    answered = await probe(pods, pairs);
    if (!pairs.every((pair) => answered[pair] === expected[pair])) continue;
    faults = faultsOf(await judged(sinceMs));
    if (faults.length === 0) break;
  }
  expect(answered).toEqual(expected);
  expect(faults).toEqual([]);
}

/** First packets and drops at the destinations since then, by `from>to`. */
async function judged(sinceMs: number): Promise<Map<string, ToldFlow[]>> {
  const flows = await toldFlows([lab.agent('node1'), lab.agent('node2')]);
  return Map.groupBy(
    flows.filter(
      (flow) =>
        Number(flow.timeNs / 1_000_000n) > sinceMs &&
        flow.observation === OBSERVATION.TO_ENDPOINT &&
        flow.reply === 0 &&
        (flow.trigger === TRIGGER.FIRST_PACKET || flow.trigger === TRIGGER.DROP),
    ),
    ({ source, destination }) => `${nameOf(source)}>${nameOf(destination)}`,
  );
}

function nameOf({ workloadName, pod }: ToldFlow['source']): string {
  return workloadName || pod;
}

const names = (references: readonly PolicyReference[]) => references.map(({ name }) => name).sort();

describe('stars', () => {
  const SOURCES = ['management-ui', 'client', 'frontend', 'backend'];
  const PAIRS = SOURCES.flatMap((from) => ['frontend', 'backend', 'client'].map((to) => `${from}>${to}`)).filter(
    (pair) => {
      const [from, to] = pair.split('>');
      return from !== to;
    },
  );
  const OPENED: Readonly<Record<string, readonly string[]>> = {
    a: PAIRS,
    b: [],
    c: ['management-ui>frontend', 'management-ui>backend', 'management-ui>client'],
    d: ['frontend>backend'],
    e: ['client>frontend'],
  };
  const RULE: Readonly<Record<string, string>> = {
    'management-ui>frontend': 'allow-ui',
    'management-ui>backend': 'allow-ui',
    'management-ui>client': 'allow-ui',
    'frontend>backend': 'backend-policy',
    'client>frontend': 'frontend-policy',
  };
  /** Which policies select a destination, by stage. */
  const closing = (stage: string, to: string) =>
    [
      'default-deny',
      ...(stage >= 'c' ? ['allow-ui'] : []),
      ...(stage >= 'd' && to === 'backend' ? ['backend-policy'] : []),
      ...(stage >= 'e' && to === 'frontend' ? ['frontend-policy'] : []),
    ].sort();
  let pods: LabPod[];

  beforeAll(async () => {
    await lab.scenario('stars');
    pods = await lab.running(5);
  });

  test.each(['a', 'b', 'c', 'd', 'e'])(
    'stage %s opens what it says, and every denial names its policies',
    async (stage) => {
      await lab.scenario('stars', stage);
      const open = new Set(
        stage === 'a' ? PAIRS : ['c', 'd', 'e'].filter((one) => one <= stage).flatMap((one) => OPENED[one]),
      );
      const expected = (pair: string) =>
        open.has(pair)
          ? { verdict: VERDICT.FORWARDED, allowedBy: stage === 'a' ? [] : [RULE[pair]] }
          : {
              verdict: VERDICT.DROPPED,
              dropReason: DROP_REASON.POLICY_DENIED,
              defaultDeny: true,
              deniedBy: closing(stage, pair.split('>')[1]),
            };
      const told = ({ verdict, dropReason, policy }: ToldFlow) =>
        verdict === VERDICT.FORWARDED
          ? { verdict, allowedBy: names(policy.allowedBy) }
          : { verdict, dropReason, defaultDeny: policy.defaultDeny, deniedBy: names(policy.deniedBy) };
      const answers = Object.fromEntries(PAIRS.map((pair) => [pair, open.has(pair)]));
      await expectAnswered(pods, answers, (flows) =>
        PAIRS.flatMap((pair): unknown[] => {
          const own = flows.get(pair) ?? [];
          if (own.length === 0) return [`${pair}: nothing told`];
          const wrong = own.map(told).filter((one) => !isDeepStrictEqual(one, expected(pair)));
          return wrong.map((one) => ({ pair, told: one, expected: expected(pair) }));
        }),
      );
    },
  );

  test('going back to stage a opens all of it again', async () => {
    await lab.scenario('stars', 'a');
    await expectAnswered(pods, Object.fromEntries(PAIRS.map((pair) => [pair, true])));
  });
});

describe('death-star', () => {
  test('only ships of the empire land once the policy says so', async () => {
    await lab.scenario('death-star');
    const pods = await lab.running(9);
    await expectAnswered(pods, { 'tiefighter>deathstar': true, 'xwing>deathstar': true });
    await lab.scenario('death-star', 'b');
    const expected: Readonly<Record<string, unknown>> = {
      'tiefighter>deathstar': { verdict: VERDICT.FORWARDED, dropReason: 0, deniedBy: [], allowedBy: ['rule1'] },
      'xwing>deathstar': {
        verdict: VERDICT.DROPPED,
        dropReason: DROP_REASON.POLICY_DENIED,
        deniedBy: ['rule1'],
        allowedBy: [],
      },
    };
    await expectAnswered(pods, { 'tiefighter>deathstar': true, 'xwing>deathstar': false }, (flows) =>
      Object.entries(expected).flatMap(([pair, due]): unknown[] => {
        const own = (flows.get(pair) ?? []).map(({ verdict, dropReason, policy }) => ({
          verdict,
          dropReason,
          deniedBy: names(policy.deniedBy),
          allowedBy: names(policy.allowedBy),
        }));
        if (own.length === 0) return [`${pair}: nothing told`];
        return own.filter((one) => !isDeepStrictEqual(one, due)).map((told) => ({ pair, told, due }));
      }),
    );
  });
});
