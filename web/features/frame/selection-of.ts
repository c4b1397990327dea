import type { Scene } from '../../graph/scene.ts';
import { parsePair } from '../../view/pair.ts';
import type { Selection } from '../../worker/protocol.ts';

/** The selected card as the session needs it; until the map knows the card, what its key says. */
export function selectionOf(key: string | null, scene: Scene | undefined): Selection | null {
  if (key === null) return null;
  const pair = parsePair(key);
  if (pair !== undefined) {
    const [source, destination] = [selectionOf(pair.source, scene)!, selectionOf(pair.destination, scene)!];
    return { ...source, key, name: `${source.name} to ${destination.name}` };
  }
  const card = scene?.cards.find((each) => each.key === key);
  if (card !== undefined) {
    const { kind, cluster, namespace, workloadKind, name } = card;
    return { key, kind, cluster, namespace, workloadKind, name };
  }
  const [cluster = '', namespace = '', word = '', ...name] = key.split('/');
  const kind = KINDS[word] ?? 'workload';
  return { key, kind, cluster, namespace, workloadKind: kind === 'workload' ? word : '', name: name.join('/') };
}

/** The third part of a key, where it is not the kind of a workload. */
const KINDS: Readonly<Record<string, Selection['kind']>> = {
  World: 'world',
  Host: 'host',
  RemoteNode: 'remote-node',
  Unknown: 'unknown',
};
