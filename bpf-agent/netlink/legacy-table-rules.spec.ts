import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LEGACY, rulesIn } from './legacy-table-rules.ts';

/** An entry without matches whose target has this name and data. */
function entry(layout: (typeof LEGACY)['ipv4'], target: string, data = ''): Buffer {
  const bytes = Buffer.alloc(layout.entryBytes + 32 + 32);
  bytes.writeUInt16LE(layout.entryBytes, layout.targetOffsetAt);
  bytes.writeUInt16LE(bytes.length, layout.targetOffsetAt + 2);
  bytes.write(target, layout.entryBytes + 2);
  bytes.write(data, layout.entryBytes + 32);
  return bytes;
}

it.each(Object.entries(LEGACY))('%s: rules of the chains that are asked for', (_, layout) => {
  const table = Buffer.concat([
    entry(layout, '', 'PREROUTING’s policy'),
    entry(layout, 'ERROR', 'KUBE-SVC-A'),
    entry(layout, 'DNAT'),
    entry(layout, 'DNAT'),
    entry(layout, '', 'the end of the chain'),
    entry(layout, 'ERROR', 'DOCKER'),
    entry(layout, 'DNAT'),
    entry(layout, ''),
    entry(layout, 'ERROR', 'KUBE-SVC-B'),
    entry(layout, ''),
    entry(layout, 'ERROR', 'ERROR'),
  ]);
  expect(rulesIn(table, layout, /^KUBE-SVC-/)).toBe(2);
});

it('whatever the bytes, it ends and reads nothing outside', () => {
  const blocks = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    fc.array(fc.constantFrom('ERROR', 'DNAT', ''), { maxLength: 5 }).map((targets) => {
      return Buffer.concat(targets.map((target) => entry(LEGACY.ipv4, target)));
    }),
  );
  fc.assert(
    fc.property(blocks, fc.nat(600), fc.nat(255), (bytes, at, value) => {
      const changed = Uint8Array.from(bytes);
      if (at < changed.length) changed[at] = value;
      for (const layout of Object.values(LEGACY)) rulesIn(changed, layout, /./);
    }),
  );
});
