/**
 * Compiles a pattern in which `*` stands for any run of characters, anchored at both ends; `openEnd` lets anything follow.
 * Pieces between stars are looked for from left to right without ever going back, so no pattern can be made slow.
 */
export function glob(pattern: string, openEnd = false): (text: string) => boolean {
  const pieces = (openEnd ? `${pattern}*` : pattern).split('*');
  if (pieces.length === 1) return (text) => text === pattern;
  const head = pieces[0];
  const tail = pieces[pieces.length - 1];
  const inner = pieces.slice(1, -1).filter((piece) => piece !== '');
  const least = head.length + tail.length;
  return (text) => {
    if (text.length < least || !text.startsWith(head) || !text.endsWith(tail)) return false;
    const end = text.length - tail.length;
    let at = head.length;
    for (const piece of inner) {
      const found = text.indexOf(piece, at);
      if (found < 0 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}
