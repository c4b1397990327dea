import { nodeOfKey } from '#core/card/card-name.ts';
import { splitLabel } from './expression.ts';
import type { ModelCard } from './model.ts';

/** What islands of the map stand for. */
export type PlateKind = 'namespace' | 'workload' | 'app' | 'node';

export interface PlateName {
  /** Empty for a card that stands on no plate. */
  readonly id: string;
  readonly title: string;
  readonly cluster: string;
}

/** What policies come to on a namespace's plate. */
export interface PlatePolicies {
  /** That stand there, or select pods of it. */
  readonly policies: number;
  /** How far all of its workloads are closed. */
  readonly ingress: 'open' | 'audited' | 'protected';
  readonly egress: 'open' | 'audited' | 'protected';
}

const NONE: PlateName = { id: '', title: '', cluster: '' };

/** Labels that say which application a workload is part of, the best known first. */
const APP_LABELS = ['app.kubernetes.io/name', 'app', 'k8s-app'];

/** The plate a card stands on. By workload there are none: each stands for itself. */
export function plateOf(card: ModelCard, by: PlateKind): PlateName {
  const { cluster, namespace } = card;
  switch (by) {
    case 'workload':
      return NONE;
    case 'namespace':
      return namespace === '' ? NONE : { id: `${cluster}/${namespace}`, title: namespace, cluster };
    case 'app': {
      const app = appOf(card);
      return app === '' ? NONE : { id: `app:${cluster}/${namespace}/${app}`, title: app, cluster };
    }
    case 'node': {
      const node = nodeOfKey(card.key) || (card.nodes.length === 1 ? card.nodes[0] : '');
      return node === '' ? NONE : { id: `node:${cluster}/${node}`, title: node, cluster };
    }
  }
}

/** The application a workload is part of, by its labels; empty when they do not say. */
function appOf(card: Pick<ModelCard, 'labels'>): string {
  for (const key of APP_LABELS) {
    const value = labelValue(card, key);
    if (value !== '') return value;
  }
  return '';
}

export function labelValue({ labels }: Pick<ModelCard, 'labels'>, key: string): string {
  for (const label of labels) {
    const [name, value] = splitLabel(label);
    if (name === key) return value;
  }
  return '';
}

/** Keys of labels that differ between workloads and so can name them, the most widely used first; at most 24. */
export function namingLabels(cards: Iterable<ModelCard>): string[] {
  const uses = new Map<string, number>();
  for (const { kind, labels } of cards) {
    if (kind !== 'workload') continue;
    for (const label of labels) {
      const [key, value] = splitLabel(label);
      if (value !== '' && !key.startsWith('io.kubernetes.') && !key.startsWith('io.cilium.')) {
        uses.set(key, (uses.get(key) ?? 0) + 1);
      }
    }
  }
  return [...uses]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, 24)
    .map(([key]) => key);
}
