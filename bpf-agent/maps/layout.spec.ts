import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';

import { buildBpf } from '../../scripts/build-bpf.ts';
import { RECORD, RECORD_BYTES } from '../events/ring-record.ts';
import { Btf } from '../loader/btf.ts';
import { AGENT_STATE_TWIN } from './agent-state.ts';
import { CONNECTION_KEY_TWIN, CONNECTION_TWIN } from './connections.ts';
import { COUNTERS_TWIN } from './counters.ts';
import { DATAPATH_STATE_TWIN } from './datapath-state.ts';
import { DNS_SAMPLE_TWIN } from './dns-samples.ts';
import { ENDPOINT_TWIN } from './endpoints.ts';
import { EXTERNAL_CONNECTION_TWIN, EXTERNAL_KEY_TWIN, EXTERNAL_RANGE_KEY_TWIN, UPLINK_TWIN } from './external.ts';
import { PREFIX_KEY_TWIN } from './identities.ts';
import { POLICY_ENTRY_TWIN, POLICY_KEY_TWIN, POLICY_RANGE_KEY_TWIN } from './policies.ts';
import {
  BACKEND_TWIN,
  SERVICE_KEY_TWIN,
  SERVICE_TWIN,
  SLOT_KEY_TWIN,
  TRANSLATION_KEY_TWIN,
  TRANSLATION_TWIN,
} from './services.ts';
import { SETTINGS_TWIN } from './settings.ts';
import type { StructTwin } from './struct-layout.ts';
import { SWEEP_RESULT_TWIN } from './sweep-result.ts';

const TWINS: readonly StructTwin[] = [
  AGENT_STATE_TWIN,
  CONNECTION_KEY_TWIN,
  CONNECTION_TWIN,
  COUNTERS_TWIN,
  DATAPATH_STATE_TWIN,
  DNS_SAMPLE_TWIN,
  ENDPOINT_TWIN,
  EXTERNAL_CONNECTION_TWIN,
  EXTERNAL_KEY_TWIN,
  EXTERNAL_RANGE_KEY_TWIN,
  UPLINK_TWIN,
  POLICY_ENTRY_TWIN,
  POLICY_KEY_TWIN,
  POLICY_RANGE_KEY_TWIN,
  PREFIX_KEY_TWIN,
  BACKEND_TWIN,
  SERVICE_KEY_TWIN,
  SERVICE_TWIN,
  SLOT_KEY_TWIN,
  TRANSLATION_KEY_TWIN,
  TRANSLATION_TWIN,
  SETTINGS_TWIN,
  SWEEP_RESULT_TWIN,
];

let btf: Btf;

beforeAll(() => {
  btf = Btf.ofObject(readFileSync(buildBpf()));
});

describe('C structs and their TypeScript twins', () => {
  it.each(TWINS.map((twin) => [twin.struct, twin] as const))('agree on every byte of struct %s', (name, twin) => {
    const layout = btf.struct(name);
    expect(layout?.size).toBe(twin.size);
    const fromC = layout?.fields.map((field) => [camelCase(field.name), field.offset, field.size]);
    const fromTwin = Object.entries(twin.fields).map(([field, [offset, size]]) => [field, offset, size]);
    expect(fromTwin).toEqual(fromC);
  });

  it('agree on every field of the ring record, and leave no byte of it unnamed', () => {
    const layout = btf.struct('flow_record');
    expect(layout?.size).toBe(RECORD_BYTES);
    const named = layout?.fields.filter((field) => !field.name.startsWith('reserved'));
    expect(Object.entries(RECORD)).toEqual(named?.map((field) => [camelCase(field.name), field.offset]));
    let at = 0;
    for (const field of layout?.fields ?? []) {
      expect(field.offset, `padding before ${field.name}`).toBe(at);
      at += field.size;
    }
    expect(at).toBe(RECORD_BYTES);
  });

  it('agree on the widths the record is read with', () => {
    const width = new Map(btf.struct('flow_record')?.fields.map((field) => [camelCase(field.name), field.size]));
    expect(width.get('time')).toBe(8);
    expect(width.get('sourceAddress')).toBe(16);
    expect(width.get('sourcePort')).toBe(2);
    expect(width.get('protocol')).toBe(1);
    expect(width.get('ipv6')).toBe(1);
    for (const field of ['sourceIdentity', 'packetsOriginal', 'bytesReply', 'rttMicros', 'policyRevision']) {
      expect(width.get(field), field).toBe(4);
    }
  });
});

describe('a map’s layout as text', () => {
  it('names every byte of key and value, so that a changed struct gets another pin', () => {
    expect(btf.mapLayout('policies')).toBe(
      'key=16{prefix_length@0:4,set@4:4,peer@8:4,layer@12:1,protocol@13:1,port@14:2} value=8{rule@0:4,precedence@4:1,drop_reason@5:1,reserved@6:2}',
    );
    expect(btf.mapLayout('prefixes')).toMatch(/^key=20\{prefix_length@0:4,address@4:16\{/);
    expect(btf.mapLayout('no_such_map')).toBeUndefined();
  });
});

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
