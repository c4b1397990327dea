import { expect, test } from 'vitest';
import { readRecording } from '#bpf-agent/replay/recording.ts';
import { DEMO_RECORDING } from '#lab/recording.ts';

test('what the demo replays can be read as flows are now, and has what every page shows', () => {
  const { scenarios, nodes, state } = readRecording(DEMO_RECORDING);
  expect(scenarios).toEqual(['guestbook', 'bookinfo', 'stars']);
  expect(nodes.map(({ name }) => name)).toEqual(['node1', 'node2']);
  for (const { answers, batches } of nodes) {
    expect(answers.at(-1)?.services?.services.length).toBeGreaterThan(5);
    expect(batches.some(({ decisions }) => decisions.length > 0)).toBe(true);
  }
  expect(nodes.flatMap(({ answers }) => answers.at(-1)?.ruleHits?.rules ?? []).length).toBeGreaterThan(0);
  const kinds = new Set(state.map(({ path }) => path.split('/')[0]));
  for (const kind of ['Node', 'Namespace', 'Pod', 'Service', 'EndpointSlice', 'NetworkPolicy'])
    expect(kinds).toContain(kind);
});
