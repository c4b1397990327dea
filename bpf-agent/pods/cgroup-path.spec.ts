import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKubepodsDirectory, isTierDirectory, podUidOfDirectory } from './cgroup-path.ts';

const uid = '6f1d2c3b-0a9e-4f77-8b1c-2d3e4f5a6b7c';
const hash = 'd3b07384d113edec49eaa6238ad5ff00';

describe('the pod of a cgroup directory', () => {
  it.each([
    [`pod${uid}`, uid],
    [`kubepods-pod${uid.replaceAll('-', '_')}.slice`, uid],
    [`kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice`, uid],
    [`kubepods-besteffort-pod${uid.replaceAll('-', '_')}.slice`, uid],
    [`kubelet-kubepods-pod${uid.replaceAll('-', '_')}.slice`, uid],
    [`kubelet-kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice`, uid],
    [`pod${hash}`, hash],
    [`kubepods-burstable-pod${hash}.slice`, hash],
  ])('%s', (name, expected) => {
    expect(podUidOfDirectory(name)).toBe(expected);
  });

  it.each([
    'kubepods',
    'kubepods.slice',
    'burstable',
    'kubepods-burstable.slice',
    'podinfo',
    'pod',
    'podman.slice',
    `pod${uid}x`,
    `machine-pod${uid.replaceAll('-', '_')}.slice`,
    `kubepods-silver-pod${uid.replaceAll('-', '_')}.slice`,
    `cri-containerd-${hash}${hash}.scope`,
    `pod${uid.toUpperCase()}`,
    '',
  ])('none: "%s"', (name) => {
    expect(podUidOfDirectory(name)).toBeUndefined();
  });

  it('is found whatever the uid, in every form', () => {
    const prefix = fc.constantFrom('', 'kubelet-', 'a-b-');
    const tier = fc.constantFrom('', 'burstable-', 'besteffort-');
    fc.assert(
      fc.property(fc.uuid(), prefix, tier, (id, before, qos) => {
        expect(podUidOfDirectory(`pod${id}`)).toBe(id);
        expect(podUidOfDirectory(`${before}kubepods-${qos}pod${id.replaceAll('-', '_')}.slice`)).toBe(id);
      }),
    );
  });

  it('never throws on other names', () => {
    fc.assert(fc.property(fc.string(), (name) => podUidOfDirectory(name) === undefined || name.includes('pod')));
  });
});

it('knows the directories on the way', () => {
  for (const name of ['kubepods', 'kubepods.slice', 'kubelet-kubepods.slice'])
    expect(isKubepodsDirectory(name)).toBe(true);
  for (const name of ['kubelet', 'kubelet.slice', 'kubepods-burstable.slice'])
    expect(isKubepodsDirectory(name)).toBe(false);
  for (const name of ['burstable', 'kubepods-besteffort.slice', 'kubelet-kubepods-burstable.slice']) {
    expect(isTierDirectory(name)).toBe(true);
  }
  for (const name of ['guaranteed', 'kubepods.slice', 'besteffort.slice', `pod${uid}`])
    expect(isTierDirectory(name)).toBe(false);
});
