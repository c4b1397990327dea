import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentTlsName } from '#runtime/hubble/peer-service.ts';
import { type CertificateFilePaths, TestAuthority } from '#runtime/testing/certificates.ts';
import { freePort } from '#runtime/testing/free-port.ts';
import { eventually } from './eventually.ts';
import { HUBBLE_CLI, hubble } from './hubble-cli.ts';
import { HUBBLE_RELAY, HubbleRelay } from './hubble-relay.ts';
import { Lab, labName } from './lab.ts';
import { WaggleProcess, waggle, waggleOk } from './waggle.ts';

// Mutual TLS from end to end: agents that know nobody without a certificate, a relay in front of them, and commands.

const NODES = ['node1', 'node2'];
const name = labName();
const RELAY_NAME = `relay.${name}.hubble-grpc.cilium.io`;

let directory: string;
let authority: TestAuthority;
let client: CertificateFilePaths;
/** Where agents and relay read theirs. */
let served: CertificateFilePaths;
let lab: Lab;
let backend: WaggleProcess;
let relay: string;
/** `host:4244` by node. */
const agents = new Map<string, string>();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'waggle-tls-lab-'));
  authority = new TestAuthority();
  client = authority.issue(['somebody']);
  served = { certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
  serve(authority.issue([...NODES.map((node) => agentTlsName(name, node)), RELAY_NAME]));
  lab = await Lab.up({
    name,
    env: {
      WAGGLE_TLS_CERT_FILE: served.certificate,
      WAGGLE_TLS_KEY_FILE: served.key,
      WAGGLE_TLS_CLIENT_CA_FILES: authority.certificate,
    },
  });
  await lab.scenario('guestbook');
  await lab.running(3);
  relay = `127.0.0.1:${await freePort()}`;
  backend = startBackend(relay, '*');
  await backend.says(/relay: /, 30_000);
});

afterAll(async () => {
  await backend?.stop();
  await lab?.down();
  authority?.remove();
  rmSync(directory, { recursive: true, force: true });
});

function serve(files: CertificateFilePaths): void {
  copyFileSync(files.key, served.key);
  copyFileSync(files.certificate, served.certificate);
}

/** @param node for whom the certificates of agents are to be; `*` is each for its own */
function startBackend(address: string, node: string, listen = '127.0.0.1:0'): WaggleProcess {
  const agentTls = ['--agent-tls', '--agent-tls-ca-cert-files', authority.certificate];
  const shown = ['--agent-tls-client-cert-file', client.certificate, '--agent-tls-client-key-file', client.key];
  const ownTls = ['--tls-cert-file', served.certificate, '--tls-key-file', served.key];
  return WaggleProcess.start([
    ...['backend', '--state-dir', lab.stateDir, '--listen', listen, '--grpc-listen', address],
    ...[...agentTls, ...shown, '--agent-tls-server-name', `${node}.${name}.hubble-grpc.cilium.io`],
    ...[...ownTls, '--tls-client-ca-files', authority.certificate],
  ]);
}

const trust = () => ['--tls', '--tls-ca-cert-files', authority.certificate];
const shown = () => ['--tls-client-cert-file', client.certificate, '--tls-client-key-file', client.key];
const ask = (verb: string[], server: string, serverName: string, tls = [...trust(), ...shown()]) =>
  waggle([...verb, '--server', server, ...tls, ...(tls.length > 0 ? ['--tls-server-name', serverName] : [])]);

test('flows go from agents to the relay and from there to a command', async () => {
  await eventually('flows of both nodes', 60_000, async () => {
    const { stdout } = await ask(['observe', '--last', '50', '--print-node-name'], relay, RELAY_NAME);
    return NODES.every((node) => stdout.includes(`[${name}/${node}]`));
  });
  const { stdout } = await ask(['list', 'nodes', '-o', 'json'], relay, RELAY_NAME);
  const { nodes } = JSON.parse(stdout) as { nodes: { name: string; address: string; tls: object }[] };
  for (const node of nodes) agents.set(node.name.split('/')[1]!, node.address);
  expect([...agents.keys()].sort()).toEqual(NODES);
  expect(nodes.map(({ tls }) => tls)).toEqual(
    nodes.map((node) => ({ enabled: true, server_name: agentTlsName(name, node.name.split('/')[1]!) })),
  );
});

test('an agent talks to whom its authority knows, under its own name', async () => {
  const address = agents.get('node1')!;
  const own = agentTlsName(name, 'node1');
  expect((await ask(['observe', '--last', '50'], address, own)).stdout).toMatch(/FORWARDED/);
  const refused = await Promise.all([
    ask(['observe'], address, own, []),
    ask(['observe'], address, own, trust()),
    ask(['observe'], address, agentTlsName(name, 'node3')),
  ]);
  for (const outcome of refused) {
    const stderr = expect.stringContaining('nothing answers at');
    expect(outcome).toMatchObject({ status: 1, stdout: '', stderr });
  }
  // Its socket is for this machine's root alone, and plain.
  expect(await waggleOk(['observe', '--server', lab.agent('node1'), '--last', '1'])).not.toBe('');
});

test('peers are told with the names of their certificates', async () => {
  const asRelay = [...trust(), ...shown(), '--tls-server-name', RELAY_NAME];
  for (const server of [[lab.agent('node1')], [relay, ...asRelay]]) {
    const watching = WaggleProcess.start(['watch', 'peers', '--server', ...server]);
    try {
      for (const node of NODES) {
        await watching.says(new RegExp(`${name}/${node} .*TLS.ServerName: ${agentTlsName(name, node)}`), 20_000);
      }
    } finally {
      await watching.stop();
    }
  }
});

test('a backend that asks for another name follows nobody, and says why', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const other = startBackend(address, 'node3');
  try {
    await other.says(/relay: /, 30_000);
    await eventually('nodes are refused', 30_000, async () => {
      const { stdout } = await ask(['status'], address, RELAY_NAME);
      return /0\/2 connected/.test(stdout) && /unavailable/.test(stdout) && /altnames|certificate/i.test(stdout);
    });
  } finally {
    await other.stop();
  }
});

test('a certificate is replaced while everything runs', async () => {
  const renewed = authority.issue([...NODES.map((node) => agentTlsName(name, node)), RELAY_NAME]);
  const before = await certificateOf(agents.get('node2')!);
  serve(renewed);
  await eventually('the new one is shown', 30_000, async () => {
    const now = await certificateOf(agents.get('node2')!);
    return now.serialNumber !== before.serialNumber;
  });
  const status = await ask(['status'], relay, RELAY_NAME);
  expect(status.stdout).toMatch(/2\/2 connected/);
});

test.skipIf(HUBBLE_CLI === undefined)(
  'the real hubble command asks the same way (skipped where it was not built)',
  async () => {
    const tls = [...trust(), ...shown(), '--tls-server-name', RELAY_NAME];
    expect((await hubble(relay, ['observe', '--last', '50', ...tls])).stdout).toMatch(/FORWARDED/);
    expect((await hubble(relay, ['status', ...tls])).stdout).toContain('Connected Nodes: 2/2\n');
    expect(await hubble(relay, ['status', ...trust(), '--tls-server-name', RELAY_NAME])).not.toMatchObject({
      status: 0,
    });
  },
);

test.skipIf(HUBBLE_RELAY === undefined)('so does Cilium’s relay (skipped where it was not built)', async () => {
  const theirs = await HubbleRelay.start(lab.agent('node1'), [
    ...['--tls-hubble-client-cert-file', client.certificate, '--tls-hubble-client-key-file', client.key],
    ...['--tls-hubble-server-ca-files', authority.certificate],
  ]);
  try {
    await eventually('flows of both nodes', 40_000, async () => {
      const { stdout } = await waggle(['observe', '--server', theirs.address, '--last', '100', '--print-node-name']);
      return NODES.every((node) => stdout.includes(`[${name}/${node}]`));
    }).catch(() => expect.fail(theirs.said));
  } finally {
    await theirs.stop();
  }
});

function certificateOf(address: string): Promise<PeerCertificate> {
  const [host, port] = [
    address.slice(0, address.lastIndexOf(':')),
    Number(address.slice(address.lastIndexOf(':') + 1)),
  ];
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ host, port, ALPNProtocols: ['h2'], servername: agentTlsName(name, 'node2') },
      ca: readFileSync(authority.certificate),
      cert: readFileSync(client.certificate),
      key: readFileSync(client.key),
    });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
  });
}
