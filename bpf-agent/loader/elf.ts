/** The little of ELF the loader needs: a section's bytes by name. 64-bit little-endian objects only. */

const MAGIC = 0x464c457f; // "\x7fELF" read as little-endian

/** Returns the section's bytes (a view into `image`), or undefined when the object has no such section. */
export function elfSection(image: Uint8Array, name: string): Uint8Array | undefined {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  if (image.length < 64 || view.getUint32(0, true) !== MAGIC || image[4] !== 2 || image[5] !== 1) return undefined;
  const headers = Number(view.getBigUint64(0x28, true));
  const headerSize = view.getUint16(0x3a, true);
  const count = view.getUint16(0x3c, true);
  const names = sectionAt(view.getUint16(0x3e, true));
  if (!names) return undefined;
  for (let index = 0; index < count; index++) {
    const section = sectionAt(index);
    if (section && text(names.bytes, section.name) === name) return section.bytes;
  }
  return undefined;

  function sectionAt(index: number): { name: number; bytes: Uint8Array } | undefined {
    const at = headers + index * headerSize;
    if (index >= count || at + 64 > image.length) return undefined;
    const start = Number(view.getBigUint64(at + 0x18, true));
    const size = Number(view.getBigUint64(at + 0x20, true));
    return { name: view.getUint32(at, true), bytes: image.subarray(start, start + size) };
  }
}

/** The NUL-terminated string that starts at `at`; empty beyond the end. */
export function text(strings: Uint8Array, at: number): string {
  const end = strings.indexOf(0, at);
  return Buffer.from(strings.subarray(at, end < 0 ? strings.length : end)).toString('utf8');
}
