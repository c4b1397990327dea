import { protocols } from '#core/flow/protocol.ts';
import { formatCount } from '../format/quantity.ts';
import { isClusterDns } from './card-icon.ts';
import type { GroupedCard, Plate } from './group.ts';
import type { ModelCard } from './model.ts';
import { labelValue, type PlateKind, type PlatePolicies } from './plates.ts';

export { type CardIcon, cardIcon } from './card-icon.ts';

type Named = Pick<GroupedCard, 'card' | 'folded'> & Partial<Pick<GroupedCard, 'title' | 'plates' | 'morePorts'>>;

/** A card's name as it stands in its first line: the value of the chosen label where it has one. */
export function cardTitle({ card, folded, title }: Named, nameLabel = ''): string {
  if (folded > 1) return title || card.namespace;
  return (nameLabel !== '' && card.kind === 'workload' && labelValue(card, nameLabel)) || card.name;
}

/**
 * One line of what a card is: `3 pods · v1 v2`, `StatefulSet · 1 pod`, `38 addresses`, `25 namespaces`; of a folded plate what the plate
 * would say.
 */
export function cardSentence(grouped: Named, by: PlateKind = 'namespace', policed?: PlatePolicies): string {
  const { card, folded, plates = 0, morePorts = 0 } = grouped;
  if (plates > 1) return plural(plates, by, `${by}s`);
  if (folded > 1) return plateFacts({ workloads: folded }, policed);
  switch (card.kind) {
    case 'workload': {
      const parts = [isClusterDns(grouped) ? `cluster DNS · ${pods(card)}` : workloadSentence(card)];
      // Where the plate does not say it, the card does.
      if (by !== 'namespace') parts.unshift(card.namespace);
      if (morePorts > 0) parts.push(plural(morePorts, 'more port', 'more ports'));
      return parts.join(' · ');
    }
    case 'world': {
      // It may stand there for a rule about it alone.
      if (card.members === 0) return 'nobody seen';
      const addresses = plural(card.members, 'address', 'addresses');
      return card.name === 'world' ? addresses : `outside · ${addresses}`;
    }
    case 'host':
      return nodeWords(card, 'node', 'nodes');
    case 'remote-node':
      return nodeWords(card, 'other node', 'other nodes');
    case 'unknown':
      return `${plural(card.members, 'address', 'addresses')}, owner unknown`;
  }
}

function workloadSentence(card: ModelCard): string {
  const versions = ['version', 'app.kubernetes.io/version'].map((key) => labelValue(card, key)).filter(Boolean);
  const words = card.workloadKind === 'Deployment' ? [] : [card.workloadKind];
  // A Service is an address, and its pods are its backends'.
  if (card.workloadKind !== 'Pod' && card.workloadKind !== 'Service') words.push(pods(card));
  return [...words, ...versions].join(' · ');
}

/** Pods by the cluster's state; those seen talking where that is not known. */
export function pods({ replicas, members }: Pick<ModelCard, 'replicas' | 'members'>): string {
  return plural(replicas || members, 'pod', 'pods');
}

function nodeWords({ nodes, members }: ModelCard, one: string, many: string): string {
  if (nodes.length === 1) return nodes[0];
  if (nodes.length > 1) return plural(nodes.length, one, many);
  return plural(members, 'address', 'addresses');
}

export function plural(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `3306 TCP`; the protocol alone where it has no ports. */
export function portWords(port: number, protocol: number): string {
  const name = protocols.name(protocol);
  return port === 0 ? name : `${port} ${name}`;
}

/** `5 workloads · 2 policies · default deny in`. */
export function plateFacts(plate: Pick<Plate, 'workloads'>, policed?: PlatePolicies): string {
  const words = [plural(plate.workloads, 'workload', 'workloads')];
  if (policed !== undefined && policed.policies > 0) {
    words.push(plural(policed.policies, 'policy', 'policies'));
    const closed = closedWords(policed, 'protected');
    const wouldBe = closed === '' ? closedWords(policed, 'audited') : '';
    if (closed !== '') words.push(`default deny${closed}`);
    else if (wouldBe !== '') words.push(`default deny${wouldBe} in audit`);
  }
  return words.join(' · ');
}

function closedWords({ ingress, egress }: PlatePolicies, how: PlatePolicies['ingress']): string {
  if (ingress === how && egress === how) return ' both ways';
  return ingress === how ? ' in' : egress === how ? ' out' : '';
}
