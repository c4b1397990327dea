import { describe, expect, it } from 'vitest';
import { endpointFromMessage, endpointMessage } from './batch.ts';
import { compactLine } from './compact-line.ts';
import { NO_ENDPOINT } from './endpoint.ts';
import { FLOW_FIELD_NAMES } from './fields.ts';
import { FLOW_CSV_HEADER, flowCsvCells } from './flow-csv.ts';
import { FlowWindow } from './flow-window.ts';
import { OBSERVATION } from './observation.ts';
import { rowObject } from './testing/row-object.ts';
import {
  isTranslation,
  observationOfSocketPoint,
  roundTripMicros,
  sentAgain,
  socketCookie,
  socketPoint,
  writeSocketCookie,
} from './translation.ts';
import { TRIGGER } from './trigger.ts';
import { VERDICT } from './verdict.ts';

const COOKIE = 0x12_3456_789a;
const service = { namespace: 'shop', name: 'web', portName: '', address: '10.96.0.7', port: 80 };
const client = { ...NO_ENDPOINT, address: '10.0.0.1', identity: 2331, namespace: 'shop', pod: 'cart', cgroupId: 4711 };
const backend = { ...NO_ENDPOINT, address: '10.0.0.2', identity: 901, namespace: 'shop', pod: 'web-1', service };

const window = new FlowWindow(1);
const { columns } = window;
for (const name of FLOW_FIELD_NAMES) columns[name][0] = 0;
columns.source[0] = window.endpoints.intern(client);
columns.destination[0] = window.endpoints.intern(backend);
columns.node[0] = window.nodeNumber({ cluster: 'lab', node: 'n1', bootId: 1n });
columns.destinationPort[0] = 8080;
columns.protocol[0] = 6;
columns.reply[0] = 2;
columns.verdict[0] = VERDICT.TRANSLATED;
columns.trigger[0] = TRIGGER.TRANSLATION;
columns.observation[0] = OBSERVATION.POST_XLATE_FWD;
writeSocketCookie(columns, 0, COOKIE % 2 ** 32, Math.floor(COOKIE / 2 ** 32));

describe('a row that tells what a socket exchanged', () => {
  it('is told from a packet’s by where it was observed', () => {
    expect(Object.values(OBSERVATION).filter(isTranslation)).toEqual([201, 202, 203, 204]);
    for (const point of [1, 2, 3, 4]) expect(socketPoint(observationOfSocketPoint(point))).toBe(point);
    expect([socketPoint(OBSERVATION.TO_ENDPOINT), observationOfSocketPoint(0)]).toEqual([0, OBSERVATION.UNKNOWN]);
  });

  it('holds the socket’s cookie, and has no round trip and nothing sent again', () => {
    expect(socketCookie(columns, 0)).toBe(COOKIE);
    expect([roundTripMicros(columns, 0), sentAgain(columns, 0)]).toEqual([0, 0]);
    const object = rowObject(columns, 0, window.endpoints, window.nodes);
    expect(object).toMatchObject({ socketCookie: COOKIE, rttMicros: 0, retransmits: 0, trigger: 'TRANSLATION' });
    expect(() => JSON.stringify(object)).not.toThrow();
    const cells = flowCsvCells(columns, 0, window, 0n, 'id');
    expect(cells).not.toContain(columns.rttMicros[0]);
    expect(cells).toHaveLength(FLOW_CSV_HEADER.length);
  });

  it('reads as Hubble prints it, with the Service behind', () => {
    expect(compactLine(columns, 0, window.endpoints).slice(21)).toBe(
      'shop/cart (ID:2331) <> shop/web-1:8080 (ID:901) post-xlate-fwd TRANSLATED (TCP) through shop/web:80',
    );
  });

  it('keeps the program’s cgroup on the wire, where others have none', () => {
    expect(endpointFromMessage(endpointMessage(client))).toEqual(client);
    expect(endpointFromMessage(endpointMessage(backend))).not.toHaveProperty('cgroupId');
  });
});
