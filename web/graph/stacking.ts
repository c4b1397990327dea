const EVERYWHERE = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/**
 * Places boxes of one column, in this order from top to bottom, as near as possible (least squares) to where their middles
 * wish to be, at least `gap` apart, and between two heights where they have room there. Returns their tops.
 * Pool-adjacent-violators: linear.
 */
export function stack(
  wishes: readonly number[],
  heights: readonly number[],
  gap: number,
  [low, high]: readonly [low: number, high: number] = EVERYWHERE,
): number[] {
  // Taking off what stands above turns "no overlap" into "not falling".
  const offsets: number[] = [];
  let offset = 0;
  for (const height of heights) {
    offsets.push(offset);
    offset += height + gap;
  }
  const blocks: { sum: number; count: number }[] = [];
  for (let i = 0; i < wishes.length; i++) {
    let block = { sum: wishes[i] - heights[i] / 2 - offsets[i], count: 1 };
    while (blocks.length > 0) {
      const above = blocks[blocks.length - 1];
      if (above.sum / above.count <= block.sum / block.count) break;
      blocks.pop();
      block = { sum: above.sum + block.sum, count: above.count + block.count };
    }
    blocks.push(block);
  }
  const lowest = Math.max(low, high - offset + gap);
  const tops: number[] = [];
  for (const { sum, count } of blocks) {
    const at = Math.min(Math.max(sum / count, low), lowest);
    for (let i = 0; i < count; i++) tops.push(at + offsets[tops.length]);
  }
  return tops;
}
