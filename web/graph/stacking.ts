/**
 * Places boxes of one column, in this order from top to bottom, as near as possible (least squares) to where their middles
 * wish to be, at least `gap` apart. Returns their tops. Pool-adjacent-violators: linear.
 */
export function stack(wishes: readonly number[], heights: readonly number[], gap: number): number[] {
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
  const tops: number[] = [];
  for (const { sum, count } of blocks) {
    for (let i = 0; i < count; i++) tops.push(sum / count + offsets[tops.length]);
  }
  return tops;
}
