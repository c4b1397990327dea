import { describe, expect, test } from 'vitest';
import { card, worldCard } from '../testing/sample-map.ts';
import { cardIcon } from './card-icon.ts';
import { cardSentence, cardTitle, plateFacts } from './card-words.ts';
import type { ModelCard } from './model.ts';

const one = (each: ModelCard) => ({ card: each, folded: 1 });
const says = (each: ModelCard) => cardSentence(one(each));

describe('a card', () => {
  test('says what it is, how many pods the cluster knows of, and its versions', () => {
    expect(says(card('shop/web', { members: 2 }))).toBe('2 pods');
    expect(says(card('shop/web', { members: 2, replicas: 5 }))).toBe('5 pods');
    expect(says(card('shop/web', { labels: ['k8s:version=v2'] }))).toBe('1 pod · v2');
    expect(says(card('data/db', { workloadKind: 'StatefulSet', replicas: 3 }))).toBe('StatefulSet · 3 pods');
    expect(says(card('shop/once', { workloadKind: 'Pod' }))).toBe('Pod');
    expect(says(card('kube-system/coredns', { labels: ['k8s:k8s-app=kube-dns'] }))).toBe('cluster DNS · 1 pod');
  });

  test('says its namespace where no plate does', () => {
    expect(cardSentence(one(card('shop/web')), 'workload')).toBe('shop · 1 pod');
    expect(cardSentence(one(card('shop/web')), 'node')).toBe('shop · 1 pod');
  });

  test('of the world, a host or other nodes says how many there are', () => {
    expect(says(worldCard('world', { members: 38 }))).toBe('38 addresses');
    expect(says(worldCard('world', { members: 0 }))).toBe('nobody seen');
    expect(says(worldCard('api.example.com', { members: 2 }))).toBe('outside · 2 addresses');
    expect(says(worldCard('host', { kind: 'host', nodes: ['node1'] }))).toBe('node1');
    expect(says(worldCard('remote-node', { kind: 'remote-node', nodes: ['a', 'b'] }))).toBe('2 other nodes');
    expect(says(worldCard('unmanaged', { kind: 'unknown', nodes: [] }))).toBe('1 address, owner unknown');
  });

  test('is named by its workload, or by the label people chose', () => {
    const web = card('shop/web-v2', { labels: ['k8s:app=web'] });
    expect(cardTitle(one(web))).toBe('web-v2');
    expect(cardTitle(one(web), 'app')).toBe('web');
    expect(cardTitle(one(web), 'team')).toBe('web-v2');
    expect(cardTitle({ card: web, folded: 4, title: 'shop' }, 'app')).toBe('shop');
  });

  test.each([
    ['redis-master', [], 'cache'],
    ['anything', ['k8s:app.kubernetes.io/name=postgresql'], 'database'],
    ['maindb', [], 'database'],
    ['kafka-0', [], 'queue'],
    ['opensearch-data', [], 'search'],
    ['prometheus-server', [], 'metrics'],
    ['istio-ingressgateway', [], 'gateway'],
    ['x', ['k8s:app.kubernetes.io/component=database'], 'database'],
    ['coredns', ['k8s:k8s-app=kube-dns'], 'dns'],
    ['frontend', [], 'web'],
    ['load-generator', [], 'load'],
    ['reviews-v1', ['k8s:app=reviews'], 'workload'],
  ])('%s with %j has the icon of a %s', (name, labels, icon) => {
    expect(cardIcon(one(card(`shop/${name}`, { labels })))).toBe(icon);
  });

  test('has the icon of its kind where no name tells', () => {
    expect(cardIcon(one(card('shop/x', { labels: [], workloadKind: 'StatefulSet' })))).toBe('database');
    expect(cardIcon(one(card('shop/x', { labels: [], workloadKind: 'CronJob' })))).toBe('job');
    expect(cardIcon(one(worldCard()))).toBe('world');
    expect(cardIcon({ card: card('shop/x'), folded: 3 })).toBe('folder');
  });
});

test('a plate says what policies come to', () => {
  const plate = { id: 'c/shop', kind: 'namespace', title: 'shop', cluster: 'c', workloads: 5, folded: false } as const;
  expect(plateFacts(plate)).toBe('5 workloads');
  const words = (policies: number, ingress: 'open' | 'audited' | 'protected', egress: typeof ingress) =>
    plateFacts(plate, { policies, ingress, egress });
  expect(words(2, 'protected', 'open')).toBe('5 workloads · 2 policies · default deny in');
  expect(words(1, 'protected', 'protected')).toBe('5 workloads · 1 policy · default deny both ways');
  expect(words(1, 'open', 'audited')).toBe('5 workloads · 1 policy · default deny out in audit');
  expect(words(3, 'open', 'open')).toBe('5 workloads · 3 policies');
  // Folded up, its card says the same.
  const closed = { policies: 1, ingress: 'protected', egress: 'open' } as const;
  expect(cardSentence({ card: card('shop/web'), folded: 5 }, 'namespace', closed)).toBe(
    '5 workloads · 1 policy · default deny in',
  );
});
