import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { ServiceStory, storyFrontend } from './service-story.ts';
import { UntranslatedSocketFinder } from './untranslated-sockets.ts';

let story: ServiceStory;

beforeAll(async () => {
  buildBpf();
  story = new ServiceStory();
  // Who is with a Service's address without anybody exchanging it: kube-proxy's rules, here a server with that very address.
  for (const address of ['10.96.9.9/32', 'fd96::9/128']) {
    execFileSync('ip', ['-n', story.netns, 'address', 'add', address, 'dev', 'lo']);
  }
  await story.run(`for (const host of ['10.96.9.9', 'fd96::9']) {
    await new Promise((resolve) => net.createServer((socket) => socket.on('error', () => {})).listen(80, host, resolve));
  }
  await serve('new', 8080, '127.0.0.1');
  const connect = (host, more) => new Promise((resolve, reject) => {
    const socket = net.connect({ port: 80, host, ...more }, () => resolve(socket)).on('error', reject);
  });
  kept.v4 = await connect('10.96.9.9');
  kept.v6 = await connect('fd96::9');
  kept.mapped = await connect('::ffff:10.96.9.9');
  kept.udp = dgram.createSocket('udp4');
  await new Promise((resolve) => kept.udp.connect(53, '10.96.9.9', resolve));
  kept.unconnected = dgram.createSocket('udp4');
  await new Promise((resolve) => kept.unconnected.bind(0, resolve));`);
});

afterAll(() => story?.end());

it('sockets that were with a Service before it was balanced are found, with who holds them', async () => {
  const frontends = [
    storyFrontend('10.96.9.9:80', ['127.0.0.1:8080']),
    storyFrontend('10.96.9.9:53', ['127.0.0.1:8080'], { protocol: 17 }),
    storyFrontend('fd96::9 80', ['fd00:5::1 8080']),
  ];
  for (const frontend of frontends) story.table.set(frontend);
  // One that comes now is with a backend.
  await story.run(`kept.new = net.connect(80, '10.96.9.9'); await new Promise((done) => kept.new.once('data', done))`);
  const ports = await story.run<number[]>(`return ['v4', 'mapped', 'v6'].map((name) => kept[name].localPort)`);
  const udpPort = await story.run<number>('return kept.udp.address().port');
  const process = Number(readFileSync(join(story.cgroup, 'cgroup.procs'), 'utf8').trim());

  const finder = new UntranslatedSocketFinder(() => frontends, story.cgroup);
  const { sockets, total } = await finder.find();
  const found = sockets.map(({ frontend, ...socket }) => ({ to: `${frontend.address} ${frontend.port}`, ...socket }));
  const held = { process, command: 'node' };
  const expected = [
    { to: '10.96.9.9 80', address: '10.96.9.9', port: ports[0], ...held },
    { to: '10.96.9.9 80', address: '10.96.9.9', port: ports[1], ...held },
    { to: 'fd96::9 80', address: 'fd96::9', port: ports[2], ...held },
    { to: '10.96.9.9 53', address: '10.96.9.9', port: udpPort, ...held },
  ];
  expect(found).toHaveLength(expected.length);
  expect(found).toEqual(expect.arrayContaining(expected));
  expect(total).toBe(4);

  // They are gone with their sockets, and then nothing is listed.
  await story.run(`for (const name of ['v4', 'v6', 'mapped']) kept[name].destroy(); kept.udp.close()`);
  const later = await finder.find(performance.now() + 60_000);
  expect(later).toEqual({ sockets: [], total: 0 });
});
