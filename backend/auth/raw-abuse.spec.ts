import { connect } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseCidr } from '#core/ip/cidr.ts';
import { SignInSite } from '../testing/sign-in-site.ts';

// Requests that no browser and no library would send.

let site: SignInSite;
beforeEach(async () => {
  site = await SignInSite.create();
});
afterEach(() => site.close());

/** Sends bytes, and resolves with what came back until the other side closed, or said all there was to say. */
function send(port: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
    socket.setEncoding('latin1').on('data', (chunk) => {
      heard += chunk;
    });
    socket.setTimeout(20_000, () => socket.destroy());
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(heard) : reject(error),
    );
    socket.on('close', () => resolve(heard));
  });
}

const status = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
const lines = (...all: string[]) => `${[...all, 'Connection: close'].join('\r\n')}\r\n\r\n`;

it('paths that are written otherwise lead nowhere', async () => {
  const { backend } = await site.start();
  const { port, host } = new URL(backend.url);
  for (const path of [
    '/api/../metrics',
    '/API/../session.json',
    '/API/waggle.v1.ViewService/ListNamespaces',
    '//metrics',
    '/./metrics',
    '/metrics/',
    '/%6detrics',
    '/METRICS',
    '/login/../metrics',
    '/login.css/../metrics',
    '/healthz/../metrics',
    `http://${host}/metrics`,
    'http://evil.example/metrics',
    '/..%2f..%2f..%2fetc/passwd',
    '/assets/..%5c..%5cindex.html',
  ]) {
    const answer = await send(port, lines(`GET ${path} HTTP/1.1`, `Host: ${host}`));
    expect([path, [400, 401, 404, 421].includes(status(answer))]).toEqual([path, true]);
    expect(answer).not.toMatch(/waggle_relay|root:|"user"/);
  }
});

it('names, lengths and sizes that are not plain are refused', async () => {
  const { backend } = await site.start();
  const { port, host } = new URL(backend.url);
  const get = 'GET / HTTP/1.1';
  expect(status(await send(port, lines('GET / HTTP/1.0')))).toBe(421);
  expect(status(await send(port, lines(get)))).toBe(400);
  for (const name of [
    'evil.example',
    `${host}@evil.example`,
    `evil.example\t${host}`,
    `${host}/`,
    '127.0.0.1.evil.example',
  ]) {
    expect([name, [400, 421].includes(status(await send(port, lines(get, `Host: ${name}`))))]).toEqual([name, true]);
  }
  // Two names: whichever a proxy in front went by.
  const two = await send(port, lines(get, 'Host: evil.example', `Host: ${host}`));
  expect([400, 421]).toContain(status(two));
  expect(status(await send(port, lines(get, `Host: ${host}`, `Cookie: waggle-session=${'x'.repeat(20_000)}`)))).toBe(
    431,
  );
  const many = Array.from({ length: 250 }, (_, number) => `waggle-session=${number}AAAAAAAAAAAAAAAAAAAAAAAAAA`);
  expect(status(await send(port, lines(get, `Host: ${host}`, `Cookie: ${many.join('; ')}`)))).toBe(401);
  const smuggled = [`POST /login HTTP/1.1`, `Host: ${host}`, 'Content-Length: 5', 'Transfer-Encoding: chunked'];
  expect(status(await send(port, `${lines(...smuggled)}0\r\n\r\nGET /x HTTP/1.1\r\n\r\n`))).toBe(400);
  expect(status(await send(port, lines(get, `Host: ${host}`, 'X-A: a\r\n b')))).toBe(400);
  expect(status(await send(port, lines('CONNECT evil.example:443 HTTP/1.1', `Host: ${host}`)))).toBeNaN();
});

it('who has not signed in is refused before they send what they ask for', async () => {
  const { backend } = await site.start();
  const { port, host } = new URL(backend.url);
  const call = 'POST /api/waggle.v1.ViewService/Watch HTTP/1.1';
  const body = ['Content-Type: application/grpc-web+proto', 'Content-Length: 200000'];
  expect(await send(port, lines(call, `Host: ${host}`, ...body))).toContain('grpc-status: 16');
});

it('who is slow is cut off', async () => {
  const { backend } = await site.start();
  const { port, host } = new URL(backend.url);
  const begun = performance.now();
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n`));
    const timer = setInterval(() => socket.write('X-A: b\r\n'), 500);
    socket.on('error', () => {}).resume();
    socket.on('close', () => {
      clearInterval(timer);
      resolve();
    });
  });
  // 10 s, and what passes until somebody looks.
  expect(performance.now() - begun).toBeLessThan(40_000);
});

it('what a proxy added to what somebody wrote counts for nothing', async () => {
  const { backend } = await site.start({ mode: 'proxy', options: { trustedProxies: [parseCidr('127.0.0.1')!] } });
  const { port, host } = new URL(backend.url);
  const ask = (...headers: string[]) => send(port, lines('GET /session.json HTTP/1.1', `Host: ${host}`, ...headers));
  expect(status(await ask('X-Forwarded-User: jane', 'X-Forwarded-Groups: shop-team'))).toBe(200);
  expect(status(await ask('X-Forwarded-User: mallory', 'X-Forwarded-User: jane'))).toBe(401);
  expect(status(await ask('X-Forwarded-User: mallory', 'X-Forwarded-Groups: admins', 'X-Forwarded-Groups: x'))).toBe(
    401,
  );
  expect(status(await ask('X_Forwarded_User: jane'))).toBe(401);
});
