import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { buildBpf } from '../../scripts/build-bpf.ts';
import { openDatapath } from './datapath.ts';
import { probeKernel } from './kernel-support.ts';
import { libbpf } from './libbpf.ts';
import { BpfObject } from './object.ts';

let directory: string;
let object: string;

beforeAll(() => {
  object = buildBpf();
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'waggle-object-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('loading the object', () => {
  it('says what to run when it is not built', () => {
    const objectPath = join(directory, 'absent.bpf.o');
    expect(() => openDatapath({ objectPath })).toThrow(
      expect.objectContaining({ code: 'object-missing', message: expect.stringContaining('build') }),
    );
  });

  it('refuses bytes that are no object, and carries on', () => {
    const objectPath = join(directory, 'broken.bpf.o');
    writeFileSync(objectPath, 'this is no ELF');
    expect(() => openDatapath({ objectPath })).toThrow(/no type information/);
    openDatapath({ connections: 64, ringBytes: 4096 }).close();
  });

  it('gives the verifier’s words when the kernel refuses a program', () => {
    const image = readFileSync(object);
    // The first call of the first program becomes one to a helper that does not exist.
    const call = image.indexOf(Buffer.from('8500000001000000', 'hex'));
    expect(call).toBeGreaterThan(0);
    image.writeUInt32LE(99_999, call + 4);
    const objectPath = join(directory, 'refused.bpf.o');
    writeFileSync(objectPath, image);
    expect(() => openDatapath({ objectPath })).toThrow(
      expect.objectContaining({ code: 'object-refused', message: expect.stringMatching(/invalid func unknown#99999/) }),
    );
  });

  it('loads further programs when they are wanted, on the same maps', () => {
    const first = BpfObject.load({ path: object, programs: ['sweep'] });
    try {
      expect(first.loaded('from_outside')).toBe(false);
      expect(() => first.programFd('from_outside')).toThrow('the program "from_outside" is not loaded');
      const more = first.loadMore(['from_outside']);
      expect([more.loaded('from_outside'), more.loaded('sweep')]).toEqual([true, false]);
      for (const map of ['external_connections', 'counters', '.rodata']) {
        expect(mapId(more.mapFd(map))).toBe(mapId(first.mapFd(map)));
      }
      more.close();
    } finally {
      first.close();
    }
  });

  it('is not given up because signals come all the time', async () => {
    // A profiler sends one every tenth of a millisecond, and the verifier's work takes longer.
    const load = `
      const { BpfObject } = await import(${JSON.stringify(new URL('object.ts', import.meta.url).href)});
      BpfObject.load({ path: ${JSON.stringify(object)} }).close();
      console.log('loaded');`;
    const profiler = ['--cpu-prof', '--cpu-prof-interval=100', `--cpu-prof-dir=${directory}`];
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...profiler,
      '--input-type=module',
      '--eval',
      load,
    ]);
    expect(stdout).toBe('loaded\n');
  });

  it('refuses a ring size the kernel could not map', () => {
    expect(() => openDatapath({ ringBytes: 5000 })).toThrow(RangeError);
    expect(() => openDatapath({ ringBytes: 1024 })).toThrow(RangeError);
  });
});

/** The kernel's number of a map. */
function mapId(fd: number): number {
  const info = new Uint8Array(88);
  expect(libbpf().info(fd, info, new Uint32Array([info.length]))).toBe(0);
  return new DataView(info.buffer).getUint32(4, true);
}

describe('the kernel’s support', () => {
  it('is found here, every point with its reason', () => {
    const support = probeKernel();
    expect(support).toMatchObject({ usable: true, reason: '' });
    expect(support.features.map((result) => result.feature)).toEqual([
      'privileges',
      'libbpf',
      'bpf',
      'btf',
      'ring-buffer',
      'tcx',
    ]);
    for (const result of support.features) expect(result.reason).not.toBe('');
  });
});

describe('a map', () => {
  it('has the manners of a Map', () => {
    const datapath = openDatapath({ connections: 64, ringBytes: 4096 });
    try {
      const map = datapath.maps.endpoints;
      expect([map.size, map.get(7), map.has(7), map.delete(7)]).toEqual([0, undefined, false, false]);
      map.set(7, { id: 1, identity: 70 }).set(8, { id: 2, identity: 80 });
      expect(map.get(7)).toEqual({ id: 1, identity: 70 });
      expect(new Map(map)).toEqual(
        new Map([
          [7, { id: 1, identity: 70 }],
          [8, { id: 2, identity: 80 }],
        ]),
      );
      expect(map.delete(7)).toBe(true);
      expect([...map.keys()]).toEqual([8]);
      map.clear();
      expect(map.size).toBe(0);
    } finally {
      datapath.close();
    }
  });

  it('walks thousands of entries, each once, and prefix trees too', () => {
    const datapath = openDatapath({ connections: 64, ringBytes: 4096 });
    try {
      for (let index = 1; index <= 5000; index++) datapath.maps.endpoints.set(index, { id: index, identity: index });
      expect([...datapath.maps.endpoints.keys()].sort((a, b) => a - b)).toEqual(
        Array.from({ length: 5000 }, (_, index) => index + 1),
      );
      for (let index = 0; index < 100; index++)
        datapath.maps.identities.setPrefix(Uint8Array.of(10, index, 0, 0), 16, index);
      const prefixes = [...datapath.maps.identities.prefixes()];
      expect(prefixes).toHaveLength(100);
      expect(new Set(prefixes.map(([, identity]) => identity)).size).toBe(100);
      expect(prefixes[0]![0].prefixLength).toBe(112);
    } finally {
      datapath.close();
    }
  });

  it('says which map is full', () => {
    const datapath = openDatapath({ connections: 64, ringBytes: 4096 });
    try {
      expect(() => {
        for (let index = 0; index < 20_000; index++) datapath.maps.endpoints.set(index, { id: 1, identity: 1 });
      }).toThrow(expect.objectContaining({ code: 'map-failed', message: expect.stringContaining('"endpoints"') }));
    } finally {
      datapath.close();
    }
  });
});
