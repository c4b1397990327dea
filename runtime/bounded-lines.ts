/**
 * The lines of a text that arrives in pieces, without `\n` or `\r\n`. In place of a line of more than `most` characters comes
 * `undefined`, as soon as it is known to be too long: what follows of it is passed over, not held.
 * @param rest what stands behind the last line's end: a line, or one that was cut off and is left out
 */
export async function* boundedLines(
  pieces: AsyncIterable<string>,
  most: number,
  rest: 'line' | 'cut off' = 'line',
): AsyncGenerator<string | undefined> {
  let parts: string[] = [];
  let held = 0;
  let skipping = false;
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf('\n'); end !== -1; end = piece.indexOf('\n', from)) {
      if (skipping) skipping = false;
      else yield held + end - from > most ? undefined : whole(parts, piece.slice(from, end));
      parts = [];
      held = 0;
      from = end + 1;
    }
    if (skipping || from === piece.length) continue;
    parts.push(piece.slice(from));
    held += piece.length - from;
    if (held <= most) continue;
    skipping = true;
    parts = [];
    held = 0;
    yield undefined;
  }
  if (parts.length > 0 && rest === 'line') yield whole(parts, '');
}

function whole(parts: readonly string[], last: string): string {
  const line = parts.length === 0 ? last : `${parts.join('')}${last}`;
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
