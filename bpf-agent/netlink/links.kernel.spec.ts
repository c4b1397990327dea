import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { inNetworkNamespace } from '../loader/netns.ts';
import { NODE_ADDRESS, POD_ADDRESS, VethStory } from '../loader/veth-story.ts';
import type { Link } from './link.ts';
import { LinkSubscription } from './link-subscription.ts';
import { listAddresses, listLinks } from './route-socket.ts';
import { namespaceNumber, vethPeer } from './veth-peer.ts';

const SOON = { timeout: 10_000, interval: 20 };

let story: VethStory;

beforeEach(() => {
  story = new VethStory();
});

afterEach(() => {
  story.remove();
});

describe('links and addresses', () => {
  it('are listed from inside another namespace, without leaving ours', () => {
    const before = listLinks().map((link) => link.name);
    expect(listLinks(story.podNamespace).map((link) => [link.name, link.kind])).toEqual([
      ['lo', ''],
      ['eth0', 'veth'],
    ]);
    const addresses = listAddresses(story.podNamespace).map(({ address, prefixLength }) => [
      address.join('.'),
      prefixLength,
    ]);
    expect(addresses).toContainEqual([POD_ADDRESS, 24]);
    expect(addresses).not.toContainEqual([NODE_ADDRESS, 24]);
    expect(listLinks().map((link) => link.name)).toEqual(before);
  });

  it('of a namespace that does not exist are an error that names it', () => {
    expect(() => listLinks('/run/netns/no-such-namespace')).toThrow(
      expect.objectContaining({ code: 'namespace-failed', message: expect.stringContaining('no-such-namespace') }),
    );
    expect(() => listLinks(2 ** 22 + 1)).toThrow(expect.objectContaining({ code: 'namespace-failed' }));
  });

  it('survive an action that throws: the thread comes back', () => {
    const home = listLinks().map((link) => link.name);
    expect(() =>
      inNetworkNamespace(story.podNamespace, () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(listLinks().map((link) => link.name)).toEqual(home);
  });
});

describe('the host’s end of a pod’s interface', () => {
  it('is found from the pod’s namespace', () => {
    const peer = story.onNode(() => vethPeer(story.podNamespace));
    expect(peer?.host).toMatchObject({ name: 'pod0', index: story.interfaceIndex });
    expect(peer?.pod.name).toBe('eth0');
  });

  it('is not claimed by a namespace it does not lead to, though indexes agree', () => {
    const other = new VethStory();
    try {
      // Both were made the same way, so their indexes are the same too.
      const ours = story.onNode(() => listLinks());
      expect(ours.map((link) => link.index)).toEqual(other.onNode(() => listLinks()).map((link) => link.index));
      expect(story.onNode(() => vethPeer(other.podNamespace))).toBeUndefined();
    } finally {
      other.remove();
    }
  });

  it('does not exist for a namespace that no link leads to', () => {
    expect(namespaceNumber(story.podNamespace)).toBeUndefined();
    expect(vethPeer(story.podNamespace)).toBeUndefined();
  });
});

describe('a link subscription', () => {
  it('tells links that come and go, with their name and kind', async () => {
    const seen: Array<[string, Link]> = [];
    const missed = vi.fn();
    const subscription = story.onNode(
      () =>
        new LinkSubscription({
          added: (link) => seen.push(['added', link]),
          removed: (link) => seen.push(['removed', link]),
          missed,
        }),
    );
    const name = `t${randomBytes(3).toString('hex')}`;
    const node = story.nodeNamespace.replace('/run/netns/', '');
    try {
      execFileSync('ip', ['-n', node, 'link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`]);
      await vi.waitFor(() => {
        expect(seen).toContainEqual(['added', expect.objectContaining({ name, kind: 'veth' })]);
      }, SOON);
      execFileSync('ip', ['-n', node, 'link', 'del', name]);
      await vi.waitFor(() => expect(seen).toContainEqual(['removed', expect.objectContaining({ name })]), SOON);
      expect(missed).not.toHaveBeenCalled();
    } finally {
      subscription.close();
    }
  });
});
