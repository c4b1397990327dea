import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { pino } from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import { hubbleResponseJson } from '#core/hubble/flow-json.ts';
import { generatedWindow } from '#core/hubble/generated-flows.ts';
import { FlowFilterSchema } from '#proto/gen/flow/flow_pb.ts';
import { fileSink, otlpLogSink } from './export-sinks.ts';
import { type ExportSelection, type ExportSink, FlowExporter } from './flow-exporter.ts';
import type { ObservedFlows } from './observed-flows.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const log = pino({ level: 'silent' });
const ALL: ExportSelection = { allow: [], deny: [], fieldMask: [] };

function observed(rows: number) {
  const window = generatedWindow(rows, 31);
  let wake = () => {};
  const flows: ObservedFlows = {
    window,
    nodeName: 'default/worker-1',
    disorderMs: 0,
    news: (signal) =>
      new Promise((resolve) => {
        wake = resolve;
        signal.addEventListener('abort', () => resolve());
      }),
    lossReader: () => () => [],
    seen: () => window.end,
    flowsPerSecond: () => 0,
  };
  /** Repeats the oldest rows as newer ones. */
  const append = (count: number) => {
    for (let index = 0; index < count; index++) window.push(window.columns, window.slot(window.start));
    wake();
  };
  return { flows, window, append };
}

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'waggle-export-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const linesOf = (path: string) =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
    : [];

function start(flows: ObservedFlows, sink: ExportSink, selection: ExportSelection): FlowExporter {
  const exporter = new FlowExporter(flows, sink, selection, log);
  cleanups.push(() => exporter.stop());
  return exporter;
}

test('writes new flows as lines in Hubble’s shape', async () => {
  const path = join(directory(), 'sub/flows.log');
  const { flows, window, append } = observed(100);
  const exporter = start(flows, fileSink({ path, maxBytes: 1e9, backups: 1 }), ALL);
  append(40);
  await vi.waitFor(() => expect(linesOf(path)).toHaveLength(40), 30_000);
  expect(linesOf(path)).toEqual(
    Array.from({ length: 40 }, (_, index) => hubbleResponseJson(window.columns, window.slot(100 + index), window)),
  );
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(exporter.exported).toBe(40);
});

test('keeps to its lists and its field mask', async () => {
  const path = join(directory(), 'flows.log');
  const { flows, window, append } = observed(200);
  start(flows, fileSink({ path, maxBytes: 1e9, backups: 1 }), {
    allow: [create(FlowFilterSchema, { verdict: [2] })],
    deny: [create(FlowFilterSchema, { protocol: ['udp'] })],
    fieldMask: ['time', 'verdict', 'source.namespace'],
  });
  append(200);
  const { verdict, protocol } = window.columns;
  const expected = Array.from({ length: 200 }, (_, row) => row).filter(
    (row) => verdict[row] === 2 && protocol[row] !== 17,
  );
  await vi.waitFor(() => expect(linesOf(path)).toHaveLength(expected.length), 30_000);
  for (const { flow, node_name } of linesOf(path)) {
    expect(Object.keys(flow).filter((name) => !['time', 'verdict', 'source'].includes(name))).toEqual([]);
    expect(Object.keys(flow.source ?? {}).filter((name) => name !== 'namespace')).toEqual([]);
    expect(node_name).not.toBe('');
  }
});

test('puts large files aside and keeps a few', async () => {
  const folder = directory();
  const path = join(folder, 'flows.log');
  const { flows, append } = observed(3_000);
  const exporter = start(flows, fileSink({ path, maxBytes: 400_000, backups: 2 }), ALL);
  for (let round = 1; round <= 4; round++) {
    append(2_000);
    await vi.waitFor(() => expect(exporter.exported).toBe(2_000 * round), 30_000);
  }
  expect(readdirSync(folder).sort()).toEqual(['flows.log', 'flows.log.1', 'flows.log.2']);
  // Whole lines everywhere; a file is put aside for what would not have fitted any more, and that begins the next.
  for (const suffix of ['.2', '.1', '']) expect(linesOf(`${path}${suffix}`)).not.toEqual([]);
  expect(statSync(`${path}.1`).size + statSync(path).size).toBeGreaterThan(400_000);
});

test('tells what it could not write in time', async () => {
  const taken: object[] = [];
  let works = false;
  const { flows, append } = observed(100);
  const exporter = start(
    flows,
    {
      write: async (events) => {
        if (!works) throw new Error('full');
        taken.push(...events);
        return 0;
      },
      close: async () => {},
    },
    ALL,
  );
  append(250);
  await new Promise((resolve) => setTimeout(resolve, 300));
  works = true;
  await vi.waitFor(() => expect(taken).toHaveLength(101), 30_000);
  expect(taken[0]).toMatchObject({
    lost_events: { source: 'HUBBLE_RING_BUFFER', num_events_lost: '150' },
    node_name: 'default/worker-1',
  });
  expect([exporter.lost, exporter.exported]).toEqual([150, 100]);
});

test('sends logs by OTLP, and again what was not taken', async () => {
  const bodies: { resourceLogs: { scopeLogs: { logRecords: Record<string, unknown>[] }[] }[] }[] = [];
  let refusals = 1;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      expect(request.url).toBe('/otel/v1/logs');
      if (refusals-- > 0) {
        response.writeHead(503).end();
        return;
      }
      bodies.push(JSON.parse(body));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { flows, append } = observed(50);
  const exporter = start(flows, otlpLogSink(new URL(`http://127.0.0.1:${port}/otel/`), '1'), ALL);
  append(50);
  await vi.waitFor(() => expect(exporter.exported).toBe(50), 30_000);
  const records = bodies.flatMap((one) => one.resourceLogs[0].scopeLogs[0].logRecords);
  expect(records).toHaveLength(50);
  expect(records[0]).toMatchObject({
    eventName: 'hubble.flow',
    timeUnixNano: expect.stringMatching(/^1700000000\d{9}$/),
  });
  expect(JSON.parse((records[0].body as { stringValue: string }).stringValue)).toHaveProperty('uuid');
  const dropped = records.filter(({ severityText }) => severityText === 'WARN');
  expect(dropped.length).toBe(Array.from(flows.window.columns.verdict).filter((verdict) => verdict === 2).length);
  expect(dropped[0].attributes).toContainEqual({ key: 'hubble.verdict', value: { stringValue: 'DROPPED' } });
});

test('counts what a collector refuses as lost, and names it without password', async () => {
  const headers: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    headers.push(request.headers.authorization);
    request.resume().on('end', () => response.writeHead(headers.length === 1 ? 503 : 400).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const said: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void said.push(line) });
  const { flows, append } = observed(50);
  const sink = otlpLogSink(new URL(`http://ann:p%40ss-word@127.0.0.1:${port}/?key=p@ss-word`), '1');
  const exporter = new FlowExporter(flows, sink, ALL, log);
  cleanups.push(() => exporter.stop());
  append(50);
  await vi.waitFor(() => expect(exporter.lost).toBe(50), 30_000);
  expect(exporter.exported).toBe(0);
  expect(headers.at(-1)).toBe(`Basic ${Buffer.from('ann:p@ss-word').toString('base64')}`);
  expect(said.join('')).toContain(`http://127.0.0.1:${port}/v1/logs answers 503`);
  expect(said.join('')).toContain('refuses them');
  expect(said.join('')).not.toMatch(/ss-word/);
});

test('counts what a collector takes in part, and does not go where it is sent', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => {
      if (asked.length === 1) response.writeHead(302, { location: '/elsewhere' }).end();
      else
        response.writeHead(200).end(JSON.stringify({ partialSuccess: { rejectedLogRecords: '7', errorMessage: '' } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { flows, append } = observed(50);
  const exporter = start(flows, otlpLogSink(new URL(`http://127.0.0.1:${port}`), '1'), ALL);
  append(50);
  await vi.waitFor(() => expect([exporter.lost, exporter.exported]).toEqual([7, 43]), 30_000);
  expect(asked).toEqual(['POST /v1/logs', 'POST /v1/logs']);
});

test('has no line twice nor half of one where the disk was full', async () => {
  const path = join(directory(), 'flows.log');
  const handle = await open(path, 'a');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const real = prototype.appendFile;
  let fits = 0;
  const writing = vi.spyOn(prototype, 'appendFile').mockImplementation(async function (this: FileHandle, text) {
    if (++fits > 2) return real.call(this, text);
    await real.call(this, String(text).slice(0, 700 * fits));
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  });
  cleanups.push(() => writing.mockRestore());
  const { flows, append } = observed(100);
  const exporter = start(flows, fileSink({ path, maxBytes: 1e9, backups: 1 }), ALL);
  append(40);
  await vi.waitFor(() => expect(exporter.exported).toBe(40), 30_000);
  expect(fits).toBeGreaterThan(2);
  expect(linesOf(path)).toHaveLength(40);
});
