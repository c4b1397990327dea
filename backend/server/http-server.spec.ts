import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ListenError } from '#runtime/listen-error.ts';
import { type Backend, startBackend } from '../start.ts';
import { hostName } from './host-check.ts';

const SCRIPT = 'console.log("waggle")\n'.repeat(100);
let folder: string;
let backend: Backend;
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waggle-page-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Waggle</title>');
  await writeFile(join(folder, 'assets', 'main-abc123.js'), SCRIPT);
  await writeFile(join(folder, 'assets', 'main-abc123.js.gz'), gzipSync(SCRIPT));
  await writeFile(join(folder, 'icon.svg'), '<svg/>');
  backend = await startBackend({
    listen: '127.0.0.1:0',
    relayListen: '127.0.0.1:0',
    pageFolder: folder,
    allowedHosts: ['waggle.example'],
    log: pino({ level: 'silent' }),
  });
  port = Number(new URL(backend.url).port);
});
afterAll(async () => {
  await backend.close();
  await rm(folder, { recursive: true, force: true });
});

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** A request whose headers are all the test's own, which fetch does not allow. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET', body?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const STATUS = '/api/waggle.v1.ViewService/Status';
const call = (headers: Record<string, string>) =>
  ask(STATUS, { 'content-type': 'application/grpc-web+proto', ...headers }, 'POST', Buffer.alloc(5));

describe('the page', () => {
  it('is asked for again each time, its assets never', async () => {
    const page = await ask('/');
    expect([page.status, page.headers['cache-control']]).toEqual([200, 'no-cache']);
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    const again = await ask('/', { 'if-none-match': String(page.headers.etag) });
    expect([again.status, again.body.length]).toEqual([304, 0]);
    const asset = await ask('/assets/main-abc123.js');
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(asset.body.toString()).toBe(SCRIPT);
    expect((await ask('/icon.svg')).headers['cache-control']).toBe('no-cache');
  });

  it('comes compressed to who accepts it', async () => {
    const asset = await ask('/assets/main-abc123.js?x', { 'accept-encoding': 'gzip, br' });
    expect(asset.headers).toMatchObject({
      'content-encoding': 'gzip',
      vary: expect.stringContaining('Accept-Encoding'),
    });
    expect(asset.headers['content-type']).toMatch(/javascript/);
    expect(asset.headers['cache-control']).toMatch(/immutable/);
    expect(gunzipSync(asset.body).toString()).toBe(SCRIPT);
    const refused = await ask('/assets/main-abc123.js', { 'accept-encoding': 'identity' });
    expect(refused.headers['content-encoding']).toBeUndefined();
  });

  it('has no other files', async () => {
    for (const path of ['/assets/old-000.js', '/../package.json', '/%2e%2e/package.json', '/nothing']) {
      const { status, headers } = await ask(path);
      expect(status, path).toBeGreaterThanOrEqual(400);
      expect(headers['cache-control'] ?? '', path).not.toMatch(/immutable/);
    }
  });

  it('may load only its own files, and be framed by its own origin alone', async () => {
    const { headers } = await ask('/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'self'");
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(headers['x-frame-options']).toBe('SAMEORIGIN');
  });
});

describe('who may ask', () => {
  it.each([
    ['localhost', 200],
    ['127.0.0.1:1234', 200],
    ['[::1]:80', 200],
    ['ui.localhost', 200],
    ['waggle.example:8443', 200],
    ['WAGGLE.example.', 200],
    ['evil.example', 421],
    ['localhost.evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['127.evil', 421],
    ['10.0.0.1', 421],
    ['waggle.example@evil.example', 421],
  ])('under the name %j: %i', async (host, status) => {
    expect((await ask('/', { host })).status).toBe(status);
    expect((await call({ host })).status).toBe(status);
  });

  it('knows its own origin only', async () => {
    const host = `127.0.0.1:${port}`;
    expect((await call({ host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    for (const origin of [
      'http://evil.example',
      `http://127.0.0.1:${port + 1}`,
      'null',
      `http://${host}@evil.example`,
    ]) {
      const { status, headers } = await call({ host, origin });
      expect([origin, status]).toEqual([origin, 403]);
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
    expect((await call({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await call({ 'sec-fetch-site': 'same-site' })).status).toBe(403);
  });

  it('lets people follow links from elsewhere', async () => {
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await ask('/?namespace=shop', link)).status).toBe(200);
    expect((await ask('/', { ...link, 'sec-fetch-mode': 'no-cors' })).status).toBe(403);
  });

  it('answers probes whatever their name for it', async () => {
    expect((await ask('/healthz', { host: '10.1.2.3' })).status).toBe(200);
    expect(JSON.parse((await ask('/readyz')).body.toString())).toEqual({ ready: true, problems: [] });
    // A probe may come by any name; the reasons are not for everyone.
    expect(JSON.parse((await ask('/readyz', { host: 'evil.example' })).body.toString())).toEqual({ ready: true });
    expect((await ask('/metrics')).body.toString()).toContain('waggle_relay_flows_total 0');
  });
});

describe('starting', () => {
  it('names the address that is taken and the setting, and leaves nothing behind', async () => {
    const taken = { listen: `127.0.0.1:${port}`, relayListen: '127.0.0.1:0', log: pino({ level: 'silent' }) };
    await expect(startBackend(taken)).rejects.toThrow(ListenError);
    await expect(startBackend(taken)).rejects.toThrow(/127\.0\.0\.1:\d+ is already in use.*--listen/);
    const relay = { ...taken, listen: '127.0.0.1:0', relayListen: backend.relayAddress };
    await expect(startBackend(relay)).rejects.toThrow(/--grpc-listen/);
  });

  it('says that the page is not built', async () => {
    const bare = await startBackend({
      listen: '127.0.0.1:0',
      relayListen: '127.0.0.1:0',
      pageFolder: join(folder, 'none'),
      log: pino({ level: 'silent' }),
    });
    const page = await fetch(bare.url);
    expect([page.status, await page.text()]).toEqual([503, expect.stringContaining('npm run build')]);
    await bare.close();
  });
});

it.each([
  ['a.b:80', 'a.b'],
  ['[fe80::1]', 'fe80::1'],
  ['a.b:80:90', undefined],
  ['[fe80::1', undefined],
  ['a b', undefined],
  ['a/b', undefined],
])('the name in the Host header %j is %j', (header, name) => {
  expect(hostName(header)).toBe(name);
});
