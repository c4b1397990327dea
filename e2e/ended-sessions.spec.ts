import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '#runtime/testing/free-port.ts';
import { ReviewServer } from '#runtime/testing/review-server.ts';
import { WaggleProcess } from './waggle.ts';

/** A backend whose people sign in with tokens, as a process of its own on a port that stays the same. */
class Replica {
  readonly url: string;
  readonly #args: readonly string[];
  #process: WaggleProcess | undefined;

  constructor(port: number, grpcPort: number, settings: readonly string[]) {
    this.url = `http://127.0.0.1:${port}`;
    this.#args = ['backend', '--listen', `127.0.0.1:${port}`, '--grpc-listen', `127.0.0.1:${grpcPort}`, ...settings];
  }

  async start(): Promise<void> {
    this.#process = WaggleProcess.start(this.#args);
    await this.#process.says(/Waggle's page: /);
  }

  /** As a node that goes away ends it. */
  async kill(): Promise<void> {
    this.#process?.signal('SIGKILL');
    await this.#process?.exit;
  }

  /** Resolves with the cookie of a new session. */
  async signIn(token: string): Promise<string> {
    const body = new URLSearchParams({ token, next: '/' });
    const headers = { origin: this.url };
    const answer = await fetch(`${this.url}/login`, { method: 'POST', redirect: 'manual', headers, body });
    expect(answer.status).toBe(303);
    return answer.headers.getSetCookie()[0]!.split(';')[0]!;
  }

  async signOut(cookie: string): Promise<void> {
    const answer = await fetch(`${this.url}/logout`, { method: 'POST', headers: { cookie, origin: this.url } });
    expect(answer.status).toBe(204);
  }

  /** Whether somebody with this cookie is let in. */
  async takes(cookie: string): Promise<boolean> {
    const { status } = await fetch(`${this.url}/session.json`, { headers: { cookie } });
    expect([200, 401]).toContain(status);
    return status === 200;
  }
}

test('a session that was signed out stays over when replicas are replaced one by one, and when all stop at once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'waggle-ended-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const reviews = new ReviewServer();
  await reviews.start();
  onTestFinished(() => reviews.stop());
  reviews.tokens.set('janes', { user: 'jane' });
  reviews.grant('jane', '*');
  const [kubeconfig, keys] = [join(folder, 'kubeconfig'), join(folder, 'keys')];
  await Promise.all([writeFile(kubeconfig, reviews.kubeconfig), writeFile(keys, `${'k'.repeat(44)}\n`)]);
  const ports = [await freePort(), await freePort()];
  // Nobody is there to be followed.
  const agent = ['--agent', `nobody=127.0.0.1:${await freePort()}`];
  const settings = ['--auth', 'token', '--kubeconfig', kubeconfig, '--session-key-file', keys, ...agent];
  settings.push('--replicas', ports.map((port) => `127.0.0.1:${port}`).join());
  const replicas = [
    new Replica(ports[0]!, await freePort(), settings),
    new Replica(ports[1]!, await freePort(), settings),
  ] as const;
  const [first, second] = replicas;
  onTestFinished(async () => {
    await Promise.all(replicas.map((replica) => replica.kill()));
  });
  const everywhere = async (cookie: string) => await Promise.all(replicas.map((replica) => replica.takes(cookie)));

  await Promise.all(replicas.map((replica) => replica.start()));
  const [over, lasting] = [await first.signIn('janes'), await second.signIn('janes')];
  await expect.poll(() => everywhere(over), { timeout: 20_000 }).toEqual([true, true]);
  await expect.poll(() => everywhere(lasting), { timeout: 20_000 }).toEqual([true, true]);
  await first.signOut(over);
  await expect.poll(() => everywhere(over), { timeout: 20_000 }).toEqual([false, false]);

  for (const replica of replicas) {
    await replica.kill();
    await replica.start();
    // The other one told it, before it let anybody in.
    expect([await replica.takes(over), await replica.takes(lasting)]).toEqual([false, true]);
  }

  await Promise.all(replicas.map((replica) => replica.kill()));
  await Promise.all(replicas.map((replica) => replica.start()));
  // Nobody is left who would know which of them ended.
  expect([await everywhere(over), await everywhere(lasting)]).toEqual([
    [false, false],
    [false, false],
  ]);
  const anew = await second.signIn('janes');
  await expect.poll(() => everywhere(anew), { timeout: 20_000 }).toEqual([true, true]);
  expect(await everywhere(over)).toEqual([false, false]);
});
