import { describe, expect, it } from 'vitest';
import { rowTimeNs } from '#core/flow/columns.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { FlowMix } from './flow-mix.ts';
import { mixCluster } from './mix-cluster.ts';

const cluster = mixCluster(4, 25);

function mixed(rows: number, capacity = rows, seed = 1) {
  const window = new FlowWindow(capacity);
  const mix = new FlowMix(window, { cluster, node: 1, flowsPerSecond: 2_000, seed, startSeconds: 1_700_000_000 });
  mix.push(rows);
  return { window, mix };
}

describe('FlowMix', () => {
  it('numbers its rows without a gap, in the order of time', () => {
    const { window } = mixed(5_000);
    expect(window.end).toBe(5_000);
    let last = 0n;
    for (let row = 0; row < 5_000; row++) {
      expect(window.columns.sequence[row]).toBe(row + 1);
      const time = rowTimeNs(window.columns, row);
      expect(time >= last).toBe(true);
      last = time;
    }
  });

  it('keeps about the rate it was asked for', () => {
    const { window } = mixed(40_000);
    const seconds = Number(rowTimeNs(window.columns, 39_999) - rowTimeNs(window.columns, 0)) / 1e9;
    expect(40_000 / seconds).toBeGreaterThan(1_000);
    expect(40_000 / seconds).toBeLessThan(4_000);
  });

  it('is the same for the same seed, and another for another', () => {
    const ports = (seed: number) => [...mixed(500, 500, seed).window.columns.sourcePort];
    expect(ports(1)).toEqual(ports(1));
    expect(ports(1)).not.toEqual(ports(2));
  });

  it('observes its own node: one end of each row is a pod of it', () => {
    const { window } = mixed(2_000);
    for (let row = 0; row < 2_000; row++) {
      const outgoing = window.columns.observation[row] === 3;
      const observing = window.endpoints.get(window.columns[outgoing ? 'source' : 'destination'][row]);
      expect(observing.node).toBe('node-2');
      expect(observing.interfaceIndex).toBeGreaterThan(0);
    }
  });

  it('holds no more endpoints than its pods and those of the rows held', () => {
    const { window } = mixed(60_000, 1_000);
    expect(window.endpoints.size).toBeLessThan(cluster.pods.length + 2_000);
  });
});
