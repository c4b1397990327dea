import { protocols } from '#core/flow/protocol.ts';
import { formatCount } from '../format/quantity.ts';
import type { GroupedCard, Plate } from './group.ts';
import type { ModelCard } from './model.ts';

/** A card's name as it stands in its first line. */
export function cardTitle({ card, folded }: Pick<GroupedCard, 'card' | 'folded'>): string {
  return folded > 1 ? card.namespace : card.name;
}

/** One line of what a card is: `3 pods · v1 v2`, `StatefulSet · 1 pod`, `38 addresses`. */
export function cardSentence({ card, folded }: Pick<GroupedCard, 'card' | 'folded'>): string {
  if (folded > 1) return `${folded} workloads`;
  switch (card.kind) {
    case 'workload':
      return workloadSentence(card);
    case 'world':
      return plural(card.members, 'address', 'addresses');
    case 'host':
      return card.members > 1 ? plural(card.members, 'node', 'nodes') : 'this node';
    case 'remote-node':
      return card.members > 1 ? plural(card.members, 'other node', 'other nodes') : 'another node';
    case 'unknown':
      return `${plural(card.members, 'address', 'addresses')}, owner unknown`;
  }
}

function workloadSentence(card: ModelCard): string {
  const pods = plural(card.members, 'pod', 'pods');
  const versions = labelValues(card, ['version', 'app.kubernetes.io/version']);
  if (card.workloadKind === 'Pod') return versions === '' ? 'Pod' : `Pod · ${versions}`;
  if (card.workloadKind !== 'Deployment') return `${card.workloadKind} · ${pods}`;
  return versions === '' ? pods : `${pods} · ${versions}`;
}

function labelValues(card: ModelCard, keys: readonly string[]): string {
  return card.labels
    .filter((label) => keys.some((key) => label.startsWith(`k8s:${key}=`)))
    .map((label) => label.slice(label.indexOf('=') + 1))
    .join(' ');
}

export function plural(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `3306 TCP`; the protocol alone where it has no ports. */
export function portWords(port: number, protocol: number): string {
  const name = protocols.name(protocol);
  return port === 0 ? name : `${port} ${name}`;
}

export function plateFacts(plate: Plate): string {
  return plural(plate.workloads, 'workload', 'workloads');
}

/** The name of the icon that says what a card is. */
export type CardIcon =
  | 'workload'
  | 'database'
  | 'web'
  | 'dns'
  | 'shell'
  | 'world'
  | 'node'
  | 'job'
  | 'agent'
  | 'unknown'
  | 'folder';

const BY_NAME: readonly (readonly [RegExp, CardIcon])[] = [
  [/dns/, 'dns'],
  [
    /(^|[-_.])(db|database|mysql|mariadb|postgres(ql)?|redis|mongo(db)?|etcd|cassandra|maindb|sql|cache|memcached)($|[-_.\d])/,
    'database',
  ],
  [/(^|[-_.])(web\d*|www|ui|frontend|front-end|nginx|productpage|ingress|gateway|proxy)($|[-_.])/, 'web'],
  [/(shell|debug|bastion|toolbox)/, 'shell'],
];

export function cardIcon({ card, folded }: Pick<GroupedCard, 'card' | 'folded'>): CardIcon {
  if (folded > 1) return 'folder';
  switch (card.kind) {
    case 'world':
      return 'world';
    case 'host':
    case 'remote-node':
      return 'node';
    case 'unknown':
      return 'unknown';
    case 'workload': {
      const app = card.labels.find((label) => /^k8s:(app|k8s-app|app\.kubernetes\.io\/name)=/.test(label));
      for (const text of [app?.slice(app.indexOf('=') + 1) ?? '', card.name]) {
        for (const [pattern, icon] of BY_NAME) if (pattern.test(text)) return icon;
      }
      if (card.workloadKind === 'Job' || card.workloadKind === 'CronJob') return 'job';
      if (card.workloadKind === 'DaemonSet') return 'agent';
      return card.workloadKind === 'StatefulSet' ? 'database' : 'workload';
    }
  }
}
