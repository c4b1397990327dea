import { describe, expect, test } from 'vitest';
import { NO_ENDPOINT } from '#core/flow/endpoint.ts';
import { endpointName, endpointRealm } from './endpoint-name.ts';

const outside = { ...NO_ENDPOINT, address: '198.51.100.7', identity: 0x0100_0005 };

describe('an address outside the cluster', () => {
  test('goes by the name of its group of ranges, as on the map', () => {
    const office = { ...outside, labels: ['cidrgroup:io.cilium.policy.cidrgroupname/office', 'reserved:world'] };
    expect([endpointName(office), endpointRealm(office)]).toEqual(['office', 'world']);
  });

  test('goes by its DNS name first', () => {
    const named = { ...outside, names: ['api.example.com'], labels: ['cidrgroup:office'] };
    expect(endpointName(named)).toBe('api.example.com');
  });

  test('goes by its address where only a range is known: that tells more', () => {
    const ranged = { ...outside, labels: ['cidr:198.51.100.0/24', 'reserved:world'] };
    expect([endpointName(ranged), endpointRealm(ranged)]).toEqual(['198.51.100.7', 'world']);
  });
});
