import { describe, expect, it } from 'vitest';
import { parseFilter } from '#core/filter/parse-filter.ts';
import type { Selection } from '../../worker/protocol.ts';
import { selectionFilter } from './selection-filter.ts';

const card = (change: Partial<Selection>): Selection => ({
  key: 'k',
  kind: 'workload',
  cluster: 'kind',
  namespace: 'shop',
  workloadKind: 'Deployment',
  name: 'web',
  ...change,
});

describe('a card as filter', () => {
  it.each([
    [card({}), 'workload=shop/Deployment/web'],
    [card({ workloadKind: 'Pod' }), 'pod=shop/web'],
    [card({ key: '//World/world', kind: 'world', name: 'world' }), 'identity=world'],
    [card({ key: '//World/10.0.0.0/8', kind: 'world', name: '10.0.0.0/8' }), 'ip=10.0.0.0/8'],
    [card({ key: '//World/api.example.com', kind: 'world', name: 'api.example.com' }), 'dns=api.example.com'],
    [card({ kind: 'host', name: 'host' }), 'identity=host'],
    [card({ kind: 'remote-node', name: 'kube-apiserver' }), 'identity=kube-apiserver'],
  ])('%#: %s', (selection, token) => {
    expect(selectionFilter(selection)).toEqual({ tokens: [token], caveat: '' });
    expect(parseFilter([token]).errors).toEqual([]);
  });

  it('says where no filter asks for just that', () => {
    expect(selectionFilter(null)).toEqual({ tokens: [], caveat: '' });
    expect(selectionFilter(card({ kind: 'unknown', name: 'unmanaged' })).caveat).toContain('unmanaged');
    expect(selectionFilter(card({ key: '//World/office', kind: 'world', name: 'office' })).caveat).toContain('office');
  });

  it('asks for both ends of an arrow, whichever way a packet travels', () => {
    const arrow = card({ key: 'kind/shop/Deployment/web>kind/data/StatefulSet/db', name: 'web to db' });
    const { tokens, caveat } = selectionFilter(arrow);
    expect(tokens).toEqual(['workload=shop/Deployment/web', 'workload=data/StatefulSet/db']);
    expect(parseFilter(tokens).errors).toEqual([]);
    expect(caveat).toContain('the other way');
  });
});
