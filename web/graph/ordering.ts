import type { IndexEdge } from './layering.ts';

const SWEEPS = 10;

/**
 * Orders the boxes of each layer so that neighbours stand at like heights, which is where few arrows cross: each box goes to
 * the mean of its neighbours' places, layer by layer, to and fro. A place is a fraction of the layer, so that an arrow
 * over several layers counts as well as one between two.
 */
export function orderLayers(layers: readonly number[][], edges: readonly IndexEdge[], count: number): number[][] {
  const neighbours: IndexEdge[][] = Array.from({ length: count }, () => []);
  for (const edge of edges) {
    if (edge.from === edge.to) continue;
    neighbours[edge.from].push(edge);
    neighbours[edge.to].push({ from: edge.to, to: edge.from, weight: edge.weight });
  }
  const layerOf = new Int32Array(count);
  const place = new Float64Array(count);
  const ordered = layers.map((layer) => [...layer]);
  const setPlaces = (layer: readonly number[]) => {
    for (let i = 0; i < layer.length; i++) place[layer[i]] = (i + 0.5) / layer.length;
  };
  ordered.forEach((layer, index) => {
    for (const box of layer) layerOf[box] = index;
    setPlaces(layer);
  });
  const wish = new Float64Array(count);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const rightward = sweep % 2 === 0;
    for (let step = 0; step < ordered.length; step++) {
      const layer = ordered[rightward ? step : ordered.length - 1 - step];
      for (const box of layer) {
        let sum = 0;
        let weight = 0;
        for (const edge of neighbours[box]) {
          // The last two sweeps look both ways; the others only at the side they come from.
          const behind = rightward ? layerOf[edge.to] < layerOf[box] : layerOf[edge.to] > layerOf[box];
          if (!behind && sweep < SWEEPS - 2) continue;
          sum += place[edge.to] * edge.weight;
          weight += edge.weight;
        }
        wish[box] = weight > 0 ? sum / weight : place[box];
      }
      layer.sort((a, b) => wish[a] - wish[b] || place[a] - place[b]);
      setPlaces(layer);
    }
  }
  return ordered;
}
