import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { ServiceStory, storyFrontend } from './service-story.ts';

let story: ServiceStory;

interface Answer {
  readonly said?: string;
  readonly peer?: string;
  readonly error?: string;
}

beforeAll(async () => {
  buildBpf();
  story = new ServiceStory();
  await story.run(`await serve('a', 8080, '127.0.0.1'); await serve('b', 8080, '127.0.0.2');
    await serve('a6', 8080, 'fd00:5::1'); await serve('b6', 8080, 'fd00:5::2')`);
});

afterAll(() => story?.end());

const ask = (port: number, host: string): Promise<Answer> => story.run(`return ask(${port}, '${host}')`);
/** One exchange over a new unconnected socket. */
const send = (type: 'udp4' | 'udp6', port: number, host: string): Promise<Answer> =>
  story.run(`const socket = dgram.createSocket('${type}');
    try { return await exchange(socket, 'hello', ${port}, '${host}') } finally { socket.close() }`);

describe('a program that connects to a Service', () => {
  it('is with a backend, and sees the Service as its peer', async () => {
    story.serve('10.96.0.1:80', ['127.0.0.1:8080']);
    expect(await ask(80, '10.96.0.1')).toEqual({ said: 'a', peer: '10.96.0.1 80' });
  });

  it('over IPv6, too', async () => {
    story.serve('fd96::1 80', ['fd00:5::2 8080']);
    expect(await ask(80, 'fd96::1')).toEqual({ said: 'b6', peer: 'fd96::1 80' });
  });

  it('by an IPv4-mapped address of an IPv6 socket, too', async () => {
    story.serve('10.96.0.2:80', ['127.0.0.2:8080']);
    expect(await ask(80, '::ffff:10.96.0.2')).toEqual({ said: 'b', peer: '::ffff:10.96.0.2 80' });
  });

  it('reaches what is no Service as before', async () => {
    expect(await ask(8080, '127.0.0.1')).toEqual({ said: 'a', peer: '127.0.0.1 8080' });
  });

  it('is refused at once when there is no backend, and again let in when there is one', async () => {
    story.serve('10.96.0.3:80', []);
    expect(await ask(80, '10.96.0.3')).toEqual({ error: 'ECONNREFUSED' });
    expect(await send('udp4', 80, '10.96.0.3')).toEqual({ error: 'ECONNREFUSED' });
    story.serve('10.96.0.3:80', ['127.0.0.1:8080']);
    expect(await ask(80, '10.96.0.3')).toMatchObject({ said: 'a' });
  });
});

describe('a program that sends datagrams to a Service', () => {
  it('hears the answer from the Service, connected or not', async () => {
    story.serve('10.96.0.4:53', ['127.0.0.1:8080']);
    expect(await send('udp4', 53, '10.96.0.4')).toEqual({ said: 'a hello', peer: '10.96.0.4 53' });
    const connected = await story.run(`const socket = dgram.createSocket('udp4');
      await new Promise((resolve) => socket.connect(53, '10.96.0.4', resolve));
      const { address, port } = socket.remoteAddress();
      const answer = await exchange(socket, 'hello');
      socket.close();
      return { ...answer, remote: address + ' ' + port }`);
    expect(connected).toEqual({ said: 'a hello', peer: '10.96.0.4 53', remote: '10.96.0.4 53' });
  });

  it('over IPv6 and IPv4-mapped, too', async () => {
    story.serve('fd96::4 53', ['fd00:5::1 8080']);
    expect(await send('udp6', 53, 'fd96::4')).toEqual({ said: 'a6 hello', peer: 'fd96::4 53' });
    expect(await send('udp6', 53, '::ffff:10.96.0.4')).toEqual({ said: 'a hello', peer: '::ffff:10.96.0.4 53' });
  });

  it('stays with its backend while that lives, and is with another when it is gone', async () => {
    story.serve('10.96.0.5:53', ['127.0.0.1:8080', '127.0.0.2:8080']);
    const several = `const said = [];
      for (let i = 0; i < 20; i++) said.push((await exchange(kept.socket, '', 53, '10.96.0.5')).said.trim());
      return [...new Set(said)]`;
    const [first, ...others] = await story.run<string[]>(`kept.socket = dgram.createSocket('udp4'); ${several}`);
    expect(others).toEqual([]);
    const left = first === 'a' ? '127.0.0.2:8080' : '127.0.0.1:8080';
    story.serve('10.96.0.5:53', [left]);
    expect(await story.run(several)).toEqual([first === 'a' ? 'b' : 'a']);
    await story.run('kept.socket.close()');
  });
});

describe('connections to a Service', () => {
  const counts = async (port: number, host: string, count: number) => {
    const said = await story.run<string[]>(
      `return (await Promise.all(Array.from({ length: ${count} }, () => ask(${port}, '${host}')))).map((answer) => answer.said)`,
    );
    return { a: said.filter((name) => name === 'a').length, b: said.filter((name) => name === 'b').length };
  };

  it('are spread evenly at random', async () => {
    story.serve('10.96.0.6:80', ['127.0.0.1:8080', '127.0.0.2:8080']);
    const { a, b } = await counts(80, '10.96.0.6', 400);
    expect(a + b).toBe(400);
    // Six standard deviations of a fair coin: 60.
    expect(Math.abs(a - 200)).toBeLessThan(60);
  });

  it('are spread by weight', async () => {
    const frontend = storyFrontend('10.96.0.7:80', ['127.0.0.1:8080', '127.0.0.2:8080']);
    const weights = [9, 1];
    story.table.set({
      ...frontend,
      backends: frontend.backends.map((each, index) => ({ ...each, weight: weights[index]! })),
    });
    const { a, b } = await counts(80, '10.96.0.7', 400);
    expect(a + b).toBe(400);
    expect(Math.abs(b - 40)).toBeLessThan(36);
  });

  it.each([
    ['ClientIP affinity', '10.96.0.8', { affinitySeconds: 60 }],
    ['Maglev', '10.96.0.9', { algorithm: 'maglev' as const }],
  ])('of one client stay with one backend: %s', async (_, host, more) => {
    story.serve(`${host}:80`, ['127.0.0.1:8080', '127.0.0.2:8080'], more);
    const before = await counts(80, host, 40);
    expect([before.a, before.b].sort()).toEqual([0, 40]);
    // The other takes over when it goes.
    story.serve(`${host}:80`, [before.a > 0 ? '127.0.0.2:8080' : '127.0.0.1:8080'], more);
    const after = await counts(80, host, 40);
    expect(after).toEqual({ a: before.b, b: before.a });
  });

  it('may go elsewhere when their affinity has run out', async () => {
    story.serve('10.96.0.10:80', ['127.0.0.1:8080', '127.0.0.2:8080'], { affinitySeconds: 1 });
    const seen = await story.run<string[]>(`const seen = new Set();
      for (let i = 0; i < 30 && seen.size < 2; i++) {
        seen.add((await ask(80, '10.96.0.10')).said);
        await new Promise((resolve) => setTimeout(resolve, 1050));
      }
      return [...seen].sort()`);
    expect(seen).toEqual(['a', 'b']);
  });

  it('do not go to a backend on its way out, and those with it stay', async () => {
    const frontend = storyFrontend('10.96.0.11:53', ['127.0.0.1:8080', '127.0.0.2:8080'], { protocol: 17 });
    story.table.set(frontend);
    const first = await story.run<string>(`kept.leaving = dgram.createSocket('udp4');
      return (await exchange(kept.leaving, '', 53, '10.96.0.11')).said.trim()`);
    const index = first === 'a' ? 0 : 1;
    story.table.set({
      ...frontend,
      backends: frontend.backends.map((each, i) => ({ ...each, terminating: i === index })),
    });
    expect(await story.run(`return (await exchange(kept.leaving, '', 53, '10.96.0.11')).said.trim()`)).toBe(first);
    for (let i = 0; i < 10; i++) {
      expect((await send('udp4', 53, '10.96.0.11')).said).toBe(first === 'a' ? 'b hello' : 'a hello');
    }
  });
});

describe('what stands for a socket’s peer', () => {
  it('is forgotten when the socket is closed', async () => {
    story.serve('10.96.0.12:80', ['127.0.0.1:8080']);
    const id = story.table.id('6/10.96.0.12/80')!;
    await ask(80, '10.96.0.12');
    const left = () => [...story.datapath.maps.services.translations.values()].filter(({ service }) => service === id);
    // The process closes its end a moment after it has heard the other's.
    await vi.waitFor(() => expect(left()).toEqual([]), { timeout: 10_000, interval: 10 });
  });
});
