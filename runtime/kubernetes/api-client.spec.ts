import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TestAuthority } from '../testing/certificates.ts';
import { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { inClusterAccess } from './in-cluster.ts';
import { defaultKubeconfig, kubeconfigAccess } from './kubeconfig.ts';
import { openApiClient } from './open-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'waggle-client-'));
const servers: Server[] = [];
let authority: TestAuthority;
beforeAll(() => {
  authority = new TestAuthority();
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  authority.remove();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(answer: Answer, tls?: object): Promise<number> {
  const server = tls === undefined ? createHttp(answer) : createHttps(tls, answer);
  server.keepAliveTimeout = 1;
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

let files = 0;
function file(content: unknown): string {
  const path = join(folder, `file-${++files}`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function kubeconfig(server: string, user: object, cluster: object = {}): string {
  return file({
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
    clusters: [{ name: 'c', cluster: { server, ...cluster } }],
    users: [{ name: 'u', user }],
  });
}

async function failure(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not fail');
}

const json = (response: ServerResponse, status: number, body: object, headers: object = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

describe('a request', () => {
  test('carries query, body and token, and answers with the document', async () => {
    const port = await listen((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () =>
        json(response, 200, { url: request.url, method: request.method, headers: request.headers, body }),
      );
    });
    const access = await kubeconfigAccess(kubeconfig(`http://127.0.0.1:${port}/below/`, { token: 'abc' }));
    expect(access.namespace).toBe('shop');
    const client = new ApiClient(access);
    const query = { limit: 5, continue: undefined, labelSelector: 'a in (b,c)' };
    expect(await client.request('POST', '/api/v1/pods', { query, body: { a: 'ä' } })).toMatchObject({
      url: '/below/api/v1/pods?limit=5&labelSelector=a+in+%28b%2Cc%29',
      method: 'POST',
      headers: { authorization: 'Bearer abc', 'content-type': 'application/json' },
      body: '{"a":"ä"}',
    });
    client.close();
  });

  test('that is refused says what was asked, why, and what to do', async () => {
    const port = await listen((_, response) =>
      json(
        response,
        403,
        { kind: 'Status', reason: 'Forbidden', message: 'pods is forbidden' },
        { 'retry-after': '2' },
      ),
    );
    const client = new ApiClient(await kubeconfigAccess(kubeconfig(`http://127.0.0.1:${port}`, {})));
    const error = (await failure(client.request('GET', '/api/v1/pods'))) as ApiError;
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 403, reason: 'Forbidden', retryAfterMs: 2_000 });
    expect(error.message).toBe(
      "GET /api/v1/pods: pods is forbidden (403); no role allows it (those of Waggle's own accounts are in deploy/helm/waggle)",
    );
    client.close();
  });

  test('that nobody answers, or in time, names the server', async () => {
    const port = await listen(() => {});
    const client = new ApiClient(await kubeconfigAccess(kubeconfig(`http://127.0.0.1:${port}`, {})));
    const slow = await failure(client.request('GET', '/', { timeoutMs: 50 }));
    expect(slow.message).toMatch(new RegExp(`^API server http://127.0.0.1:${port} gives no answer: .*timeout`));
    client.close();
    const gone = new ApiClient(await kubeconfigAccess(kubeconfig('http://127.0.0.1:1', {})));
    expect((await failure(gone.request('GET', '/'))).message).toMatch(/ECONNREFUSED/);
    gone.close();
  });

  test('takes a new token when the old one is not accepted', async () => {
    const port = await listen((request, response) =>
      request.headers.authorization === 'Bearer new' ? json(response, 200, {}) : json(response, 401, {}),
    );
    const token = file('old');
    const client = new ApiClient(await kubeconfigAccess(kubeconfig(`http://127.0.0.1:${port}`, { tokenFile: token })));
    expect((await failure(client.request('GET', '/'))).message).toMatch(/401.*renew it/);
    writeFileSync(token, 'new\n');
    await client.request('GET', '/');
    client.close();
  });

  test('trusts the kubeconfig’s authority alone, and shows its certificate', async () => {
    const leaf = authority.issue(['api.example']);
    const read = (path: string) => readFileSync(path, 'utf8');
    const tls = {
      cert: read(leaf.certificate),
      key: read(leaf.key),
      ca: read(authority.certificate),
      requestCert: true,
    };
    const port = await listen((_, response) => json(response, 200, {}), tls);
    const own = { 'client-certificate': leaf.certificate, 'client-key': leaf.key };
    const data = Buffer.from(read(authority.certificate)).toString('base64');
    const ask = async (user: object, cluster: object) => {
      const client = new ApiClient(await kubeconfigAccess(kubeconfig(`https://127.0.0.1:${port}`, user, cluster)));
      try {
        return await client.request('GET', '/');
      } finally {
        client.close();
      }
    };
    await ask(own, { 'certificate-authority-data': data });
    await ask(own, { 'certificate-authority': authority.certificate, 'tls-server-name': 'api.example' });
    await ask(own, { 'insecure-skip-tls-verify': true });
    const name = { 'certificate-authority-data': data, 'tls-server-name': 'other.example' };
    expect((await failure(ask(own, name))).message).toMatch(/other.example/);
    expect((await failure(ask(own, {}))).message).toMatch(/gives no answer: .*(issuer|self|verify)/i);
    expect((await failure(ask({}, { 'certificate-authority-data': data }))).message).toMatch(/gives no answer/);
  });
});

describe('a kubeconfig', () => {
  test('that cannot be used is told by file and field, without its secrets', async () => {
    const told = async (path: string, context?: string) => (await failure(kubeconfigAccess(path, context))).message;
    expect(await told('/none')).toBe('kubeconfig /none: /none cannot be read (ENOENT)');
    const good = kubeconfig('https://x', { token: 'SECRET' });
    expect(await told(good, 'elsewhere')).toMatch(/contexts has no "elsewhere"; there are here/);
    expect(await told(kubeconfig('ftp://x', {}))).toMatch(/server "ftp:\/\/x" is not an http\(s\) address/);
    expect(await told(kubeconfig('https://x', { 'auth-provider': {} }))).toMatch(/use an exec plugin/);
    expect(await told(file('users: [{user: {token: SECRET}\n- x'))).not.toMatch(/SECRET/);
    expect(await told(file('{}'))).toMatch(/no current-context/);
  });

  test('runs its credential plugin once, and again when what it gave has ended', async () => {
    const counter = join(folder, 'counter');
    const plugin = file(`#!/bin/sh
echo x >> ${counter}
test "$CLUSTER" = c || exit 1
echo '{"status":{"token":"t'$(wc -l < ${counter})'","expirationTimestamp":"'$1'"}}'
`);
    chmodSync(plugin, 0o755);
    const exec = (until: string) => ({
      exec: { command: plugin, args: [until], env: [{ name: 'CLUSTER', value: 'c' }] },
    });
    const lasting = await kubeconfigAccess(kubeconfig('https://x', exec('2100-01-01T00:00:00Z')));
    expect(await lasting.credentials()).toMatchObject({ token: 't1' });
    expect(await lasting.credentials()).toMatchObject({ token: 't1' });
    expect(await lasting.credentials(true)).toMatchObject({ token: 't2' });
    const ending = await kubeconfigAccess(kubeconfig('https://x', exec('2000-01-01T00:00:00Z')));
    expect(await ending.credentials()).toMatchObject({ token: 't3' });
    expect(await ending.credentials()).toMatchObject({ token: 't4' });
    const missing = await kubeconfigAccess(
      kubeconfig('https://x', { exec: { command: 'no-such-plugin', installHint: 'Get it.' } }),
    );
    expect((await failure(missing.credentials())).message).toMatch(/"no-such-plugin" is not installed. Get it./);
  });

  test('is the one that kubectl would take', async () => {
    const there = file('{}');
    expect(await defaultKubeconfig({ KUBECONFIG: `/none:${there}` })).toBe(there);
    expect(await defaultKubeconfig({ KUBECONFIG: '/none' })).toBeUndefined();
    await expect(openApiClient({ kubeconfig: '/none' })).rejects.toThrow('/none cannot be read');
  });
});

test('a pod’s service account is read, its token again', async () => {
  const directory = mkdtempSync(join(folder, 'account-'));
  const write = (name: string, content: string) => writeFileSync(join(directory, name), content);
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
  expect((await failure(inClusterAccess({}, directory))).message).toMatch(/this is no pod of Kubernetes/);
  expect((await failure(inClusterAccess(environment, directory))).message).toMatch(/ca.crt cannot be read \(ENOENT\)/);
  write('ca.crt', 'PEM');
  write('token', 'one\n');
  write('namespace', 'waggle');
  const access = await inClusterAccess(environment, directory);
  expect(access).toMatchObject({ server: new URL('https://[fd00::1]:443'), namespace: 'waggle', insecure: false });
  write('token', 'two');
  expect(await access.credentials()).toMatchObject({ token: 'one' });
  expect(await access.credentials(true)).toMatchObject({ token: 'two', authorities: 'PEM' });
});
