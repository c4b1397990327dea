import { describe, expect, it } from 'vitest';
import { completeToken, valueBeingTyped } from './complete-token.ts';

describe('completing a token', () => {
  it('offers fields, sides and values', () => {
    expect(completeToken('p').map(({ token }) => token)).toEqual(['pod=', 'port=', 'proto=', 'policy=']);
    expect(completeToken('!from:p').map(({ token }) => token)).toEqual(['!from:pod=', '!from:port=']);
    expect(completeToken('verdict=dropped,fo').map(({ token }) => token)).toEqual(['verdict=dropped,forwarded']);
    expect(completeToken('ns=s', { ns: ['shop', 'stars', 'infra'] }).map(({ token }) => token)).toEqual([
      'ns=shop',
      'ns=stars',
    ]);
    expect(completeToken('fr').map(({ token }) => token)).toEqual(['from:']);
    expect(completeToken('bogus=')).toEqual([]);
    expect(completeToken('bogus ')).toEqual([]);
  });

  it('offers what a value without a field may be meant for', () => {
    const offered = (text: string) => completeToken(text).map(({ token }) => token);
    expect(offered('dropp').slice(0, 2)).toEqual(['verdict=dropped', 'pod=dropp']);
    expect(offered('!udp')[0]).toBe('!proto=udp');
    expect(offered('10.0.0.0/8')).toEqual(['ip=10.0.0.0/8']);
    expect(offered('10.')).toEqual(['ip=10.0.0.0/8']);
    expect(offered('!from:10.96')).toEqual(['!from:ip=10.96.0.0/16']);
    expect(offered('10.96.3.')).toEqual(['ip=10.96.3.0/24']);
    expect(offered('10.300')).not.toContain('ip=10.300.0.0/16');
    expect(offered('to:443')).toEqual(['to:port=443']);
    expect(offered('3306')).toEqual(['port=3306']);
    expect(offered('frontend')).toEqual(['pod=frontend', 'workload=frontend', 'ns=frontend', 'dns=frontend']);
    expect(offered('shop/web')).toEqual(['pod=shop/web', 'workload=shop/web']);
    expect(offered('"web"')).toEqual([]);
  });

  it('offers what is live before what is possible, and nothing twice', () => {
    const known = { verdict: ['audit', 'dropped'] };
    expect(completeToken('verdict=', known, 3).map(({ token }) => token)).toEqual([
      'verdict=audit',
      'verdict=dropped',
      'verdict=unknown',
    ]);
    expect(completeToken('verdict=audit,', known, 1).map(({ token }) => token)).toEqual(['verdict=audit,dropped']);
  });

  it('says which value is being written', () => {
    expect(valueBeingTyped('!from:pod=shop/we')).toMatchObject({
      field: { name: 'pod' },
      side: 'from',
      typed: 'shop/we',
    });
    expect(valueBeingTyped('to:!port=80,4')).toMatchObject({ field: { name: 'port' }, side: 'to', typed: '4' });
    expect(valueBeingTyped('label app=w')).toMatchObject({ field: { name: 'label' }, side: 'any', typed: 'app=w' });
    expect(valueBeingTyped('po')).toBeUndefined();
    expect(valueBeingTyped('bogus=1')).toBeUndefined();
  });
});
