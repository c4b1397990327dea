/** An edge between boxes by their index. */
export interface IndexEdge {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

/**
 * Cyclic graphs would otherwise string out into as many layers as they have members. Where nearly everyone talks to everyone
 * there is no order to show, and fewer layers make a shape that can be read.
 */
export function mostLayers(count: number, edges: number): number {
  const isTangled = edges > 2 * count;
  return Math.min(14, Math.max(isTangled ? 3 : 6, Math.round((isTangled ? 1 : 1.4) * Math.sqrt(count))));
}

/**
 * Gives every box a layer such that arrows run from lower to higher layers where possible: cycles are cut where the fewest
 * arrows turn back, then each box stands one layer after the last of its sources, then boxes that mostly send are drawn
 * close to those they send to. Deterministic: ties go by index.
 */
export function assignLayers(count: number, edges: readonly IndexEdge[]): Int32Array {
  const rank = cycleCut(count, edges);
  const out: IndexEdge[][] = Array.from({ length: count }, () => []);
  const into: IndexEdge[][] = Array.from({ length: count }, () => []);
  for (const edge of edges) {
    if (edge.from === edge.to) continue;
    const forward = rank[edge.from] < rank[edge.to] ? edge : { from: edge.to, to: edge.from, weight: edge.weight };
    out[forward.from].push(forward);
    into[forward.to].push(forward);
  }
  const byRank = Int32Array.from({ length: count }, (_, index) => index).sort((a, b) => rank[a] - rank[b]);
  const layers = new Int32Array(count);
  for (const box of byRank) for (const edge of into[box]) layers[box] = Math.max(layers[box], layers[edge.from] + 1);
  for (let i = count - 1; i >= 0; i--) {
    const box = byRank[i];
    if (out[box].length <= into[box].length) continue;
    let least = Number.MAX_SAFE_INTEGER;
    for (const edge of out[box]) least = Math.min(least, layers[edge.to]);
    layers[box] = Math.max(layers[box], least - 1);
  }
  const last = layers.reduce((most, layer) => Math.max(most, layer), 0);
  const most = mostLayers(count, edges.length);
  if (last >= most) {
    // Where readers begin stays as it is: what everything comes from is left of everything.
    for (let box = 0; box < count; box++) {
      if (layers[box] > 0) layers[box] = 1 + Math.floor(((layers[box] - 1) * (most - 1)) / last);
    }
  }
  return layers;
}

/**
 * An order of the boxes in which few arrows run backwards (Eades, Lin and Smyth 1993): sources first, sinks last, else the
 * box that sends most more than it receives.
 */
function cycleCut(count: number, edges: readonly IndexEdge[]): Int32Array {
  const out = new Float64Array(count);
  const into = new Float64Array(count);
  const neighbours: { box: number; weight: number; outgoing: boolean }[][] = Array.from({ length: count }, () => []);
  for (const { from, to, weight } of edges) {
    if (from === to) continue;
    out[from] += weight;
    into[to] += weight;
    neighbours[from].push({ box: to, weight, outgoing: true });
    neighbours[to].push({ box: from, weight, outgoing: false });
  }
  const rank = new Int32Array(count);
  const gone = new Uint8Array(count);
  let head = 0;
  let tail = count - 1;
  const queue: number[] = [];
  const take = (box: number, at: number) => {
    rank[box] = at;
    gone[box] = 1;
    for (const { box: other, weight, outgoing } of neighbours[box]) {
      if (gone[other] === 1) continue;
      if (outgoing) into[other] -= weight;
      else out[other] -= weight;
      if (into[other] < 1e-9 || out[other] < 1e-9) queue.push(other);
    }
  };
  for (let box = 0; box < count; box++) if (into[box] < 1e-9 || out[box] < 1e-9) queue.push(box);
  for (;;) {
    for (let at = 0; at < queue.length; at++) {
      const box = queue[at];
      if (gone[box] === 1) continue;
      take(box, into[box] < 1e-9 ? head++ : tail--);
    }
    queue.length = 0;
    let best = -1;
    for (let box = 0; box < count; box++) {
      if (gone[box] === 0 && (best < 0 || out[box] - into[box] > out[best] - into[best])) best = box;
    }
    if (best < 0) return rank;
    take(best, head++);
  }
}
