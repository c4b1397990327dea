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
    [card({ kind: 'world', name: 'world' }), 'identity=world'],
    [card({ kind: 'host', name: 'host' }), 'identity=host'],
    [card({ kind: 'remote-node', name: 'kube-apiserver' }), 'identity=kube-apiserver'],
  ])('%#: %s', (selection, token) => {
    expect(selectionFilter(selection)).toEqual({ tokens: [token], caveat: '' });
    expect(parseFilter([token]).errors).toEqual([]);
  });

  it('says where no filter asks for just that', () => {
    expect(selectionFilter(null)).toEqual({ tokens: [], caveat: '' });
    expect(selectionFilter(card({ kind: 'unknown', name: 'unmanaged' })).caveat).toContain('unmanaged');
    expect(selectionFilter(card({ kind: 'world', name: '10.0.0.0/8' })).caveat).toContain('10.0.0.0/8');
  });
});
