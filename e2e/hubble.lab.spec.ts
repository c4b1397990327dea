import { Code } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HUBBLE_FLAGS } from '#core/observe/hubble-filter.ts';
import { AgentEventType, Verdict } from '#proto/gen/flow/flow_pb.ts';
import { type GetFlowsResponse, Observer } from '#proto/gen/observer/observer_pb.ts';
import { NodeState } from '#proto/gen/waggle/v1/flow_pb.ts';
import { Backend } from './backend.ts';
import { connectClient } from './connect.ts';
import { eventually } from './eventually.ts';
import { HUBBLE_CLI, hubble } from './hubble-cli.ts';
import { HUBBLE_RELAY, HubbleRelay } from './hubble-relay.ts';
import { Lab } from './lab.ts';
import { WaggleProcess, waggle, waggleOk } from './waggle.ts';

// `waggle observe` and, where it was built (scripts/build-hubble-cli.ts), the real `hubble` command against a lab.

let lab: Lab;
let backend: Backend;
let relay: string;

beforeAll(async () => {
  lab = await Lab.up();
  await lab.scenario('guestbook');
  await lab.scenario('stars', 'b');
  await lab.scenario('death-star', 'b');
  await lab.scenario('bookinfo');
  await lab.scenario('drops');
  await lab.running(21);
  backend = await Backend.start(lab.stateDir);
  relay = backend.grpc;
  await eventually('flows of both scenarios', 60_000, async () => {
    const [drops, web] = [
      await observe('--last', '1', '-t', 'drop'),
      await observe('--last', '1', '--to-port', '3306'),
    ];
    return drops !== '' && web !== '';
  });
});

afterAll(async () => {
  await backend?.stop();
  await lab?.down();
});

const observe = (...args: string[]) => waggleOk(['observe', '--server', relay, ...args]);

/** A line without what differs from run to run. */
const plain = (line: string) =>
  line
    .replace(/^\w{3} [ \d]\d \d\d:\d\d:\d\d\.\d{3}: /, 'TIME: ')
    .replace(/([a-z0-9-]+?)-[a-z0-9]{10}-[a-z0-9]{5}(?=:| )/g, '$1')
    .replace(/:(?:3[2-9]|[4-6]\d)\d{3} /g, ':PORT ')
    .replace(/ 10(?:\.\d{1,3}){3}:/g, ' ADDRESS:')
    .replace(/\(ID:\d+\)/g, '(ID:N)');

describe('waggle observe', () => {
  const golden = {
    guestbook: [
      'default/web:PORT (ID:N) -> default/maindb:3306 (ID:N) to-stack FORWARDED (TCP Flags: SYN)',
      'default/web:PORT (ID:N) -> default/maindb:3306 (ID:N) to-endpoint FORWARDED (TCP Flags: SYN)',
      'default/web:PORT (ID:N) <- default/maindb:3306 (ID:N) to-stack FORWARDED (TCP Flags: SYN, ACK)',
      'default/web:PORT (ID:N) <- default/maindb:3306 (ID:N) to-endpoint FORWARDED (TCP Flags: SYN, ACK)',
      'default/web2:PORT (ID:N) -> default/maindb:3306 (ID:N) to-stack FORWARDED (TCP Flags: SYN)',
      'default/web2:PORT (ID:N) -> default/maindb:3306 (ID:N) to-endpoint FORWARDED (TCP Flags: SYN)',
      'default/web2:PORT (ID:N) <- default/maindb:3306 (ID:N) to-stack FORWARDED (TCP Flags: SYN, ACK)',
      'default/web2:PORT (ID:N) <- default/maindb:3306 (ID:N) to-endpoint FORWARDED (TCP Flags: SYN, ACK)',
      'default/web:PORT (ID:N) -> kube-system/cluster-dns:53 (ID:N) to-stack FORWARDED (UDP)',
      'default/web:PORT (ID:N) <- kube-system/cluster-dns:53 (ID:N) to-endpoint FORWARDED (UDP)',
    ],
    'death-star': [
      'default/tiefighter:PORT (ID:N) -> default/deathstar:80 (ID:N) to-stack FORWARDED (TCP Flags: SYN)',
      'default/tiefighter:PORT (ID:N) -> default/deathstar:80 (ID:N) to-endpoint FORWARDED (TCP Flags: SYN)',
      'default/tiefighter:PORT (ID:N) <- default/deathstar:80 (ID:N) to-stack FORWARDED (TCP Flags: SYN, ACK)',
      'default/tiefighter:PORT (ID:N) <- default/deathstar:80 (ID:N) to-endpoint FORWARDED (TCP Flags: SYN, ACK)',
      'default/tiefighter:PORT (ID:N) -> kube-system/cluster-dns:53 (ID:N) to-stack FORWARDED (UDP)',
      'default/tiefighter:PORT (ID:N) <- kube-system/cluster-dns:53 (ID:N) to-endpoint FORWARDED (UDP)',
      'default/xwing:PORT (ID:N) -> default/deathstar:80 (ID:N) to-stack FORWARDED (TCP Flags: SYN)',
      'default/xwing:PORT (ID:N) -> default/deathstar:80 (ID:N) Policy denied DROPPED (TCP Flags: SYN)',
      'default/xwing:PORT (ID:N) -> kube-system/cluster-dns:53 (ID:N) to-endpoint FORWARDED (UDP)',
      'default/xwing:PORT (ID:N) <- kube-system/cluster-dns:53 (ID:N) to-stack FORWARDED (UDP)',
    ],
    bookinfo: [
      'bookinfo/load-generator:PORT (ID:N) -> bookinfo/productpage-v1:9080 (ID:N) to-stack FORWARDED (TCP Flags: SYN)',
      'bookinfo/load-generator:PORT (ID:N) <- bookinfo/productpage-v1:9080 (ID:N) to-endpoint FORWARDED (TCP Flags: SYN, ACK)',
      'bookinfo/productpage-v1:PORT (ID:N) -> bookinfo/details-v1:9080 (ID:N) to-stack FORWARDED (TCP Flags: SYN)',
      'bookinfo/productpage-v1:PORT (ID:N) <- bookinfo/details-v1:9080 (ID:N) to-endpoint FORWARDED (TCP Flags: SYN, ACK)',
      'bookinfo/productpage-v1:PORT (ID:N) -> bookinfo/reviews-v1:9080 (ID:N) to-endpoint FORWARDED (TCP Flags: SYN)',
      'bookinfo/productpage-v1:PORT (ID:N) -> bookinfo/reviews-v2:9080 (ID:N) to-endpoint FORWARDED (TCP Flags: SYN)',
      'bookinfo/productpage-v1:PORT (ID:N) -> bookinfo/reviews-v3:9080 (ID:N) to-endpoint FORWARDED (TCP Flags: SYN)',
      'bookinfo/reviews-v2:PORT (ID:N) -> bookinfo/ratings-v1:9080 (ID:N) to-stack FORWARDED (TCP Flags: SYN)',
      'bookinfo/reviews-v3:PORT (ID:N) <- bookinfo/ratings-v1:9080 (ID:N) to-endpoint FORWARDED (TCP Flags: SYN, ACK)',
      'bookinfo/load-generator:PORT (ID:N) -> kube-system/cluster-dns:53 (ID:N) to-stack FORWARDED (UDP)',
    ],
    drops: [
      'drops/curious-client:PORT (ID:N) -> drops/vault:8080 (ID:N) to-stack FORWARDED (TCP Flags: SYN)',
      'drops/curious-client:PORT (ID:N) -> drops/vault:8080 (ID:N) Policy denied DROPPED (TCP Flags: SYN)',
      'drops/curious-client:PORT (ID:N) -> kube-system/cluster-dns:53 (ID:N) to-stack FORWARDED (UDP)',
      'drops/curious-client:PORT (ID:N) -> kube-system/cluster-dns:53 (ID:N) to-endpoint FORWARDED (UDP)',
      'drops/curious-client:PORT (ID:N) <- kube-system/cluster-dns:53 (ID:N) to-stack FORWARDED (UDP)',
      'drops/curious-client:PORT (ID:N) <- kube-system/cluster-dns:53 (ID:N) to-endpoint FORWARDED (UDP)',
      'drops/curious-client (ID:N) <> drops/vault:80 (world) pre-xlate-fwd TRACED (TCP)',
      'drops/curious-client (ID:N) <> drops/vault:8080 (ID:N) post-xlate-fwd TRANSLATED (TCP)',
      'drops/early-client (ID:N) -> drops/empty:80 (world) Service backend not found DROPPED (TCP Flags: )',
      'drops/stale-client:PORT (ID:N) -> ADDRESS:80 (world) Stale or unroutable IP DROPPED (TCP Flags: SYN)',
    ],
    stars: [
      'client/client:PORT (ID:N) -> stars/frontend:80 (ID:N) to-stack FORWARDED (TCP Flags: SYN)',
      'client/client:PORT (ID:N) -> stars/frontend:80 (ID:N) Policy denied DROPPED (TCP Flags: SYN)',
      'client/client:PORT (ID:N) -> stars/backend:6379 (ID:N) Policy denied DROPPED (TCP Flags: SYN)',
      'stars/frontend:PORT (ID:N) -> stars/backend:6379 (ID:N) Policy denied DROPPED (TCP Flags: SYN)',
      'stars/frontend:PORT (ID:N) -> client/client:9000 (ID:N) Policy denied DROPPED (TCP Flags: SYN)',
      'stars/backend:PORT (ID:N) -> stars/frontend:80 (ID:N) Policy denied DROPPED (TCP Flags: SYN)',
      'stars/backend:PORT (ID:N) -> client/client:9000 (ID:N) Policy denied DROPPED (TCP Flags: SYN)',
      'management-ui/management-ui:PORT (ID:N) -> stars/frontend:80 (ID:N) Policy denied DROPPED (TCP Flags: SYN)',
      'management-ui/management-ui:PORT (ID:N) -> stars/backend:6379 (ID:N) Policy denied DROPPED (TCP Flags: SYN)',
      'management-ui/management-ui:PORT (ID:N) -> client/client:9000 (ID:N) Policy denied DROPPED (TCP Flags: SYN)',
    ],
  };

  test.each(Object.entries(golden))('prints the lines of %s', async (_scenario, lines) => {
    let missing: string[] = [];
    await eventually('every line', 60_000, async () => {
      const printed = new Set((await observe('--all')).split('\n').map(plain));
      missing = lines.filter((line) => !printed.has(`TIME: ${line}`));
      return missing.length === 0;
    }).catch(() => {});
    expect(missing).toEqual([]);
  });

  test('follows', async () => {
    const following = WaggleProcess.start(['observe', '--server', relay, '-f', '-t', 'drop', '-o', 'json']);
    try {
      await following.says(/"drop_reason_desc":"POLICY_DENIED"/, 30_000);
    } finally {
      await following.stop();
    }
  });

  test('asks an agent, which knows its node alone', async () => {
    const nodes = async (...args: string[]) => {
      const text = await waggleOk(['observe', '--server', lab.agent('node1'), '--last', '50', '-o', 'json', ...args]);
      return new Set(
        text
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line).node_name),
      );
    };
    expect([...(await nodes())]).toEqual([`${lab.name}/node1`]);
  });
});

describe('a Connect client', () => {
  test('reads flows of the relay, and of an agent through its socket', async () => {
    for (const server of [relay, lab.agent('node1')]) {
      const client = connectClient(Observer, server);
      const [traces, drops] = [[{ eventType: [{ type: 4 }] }], [{ verdict: [Verdict.DROPPED] }]];
      const request = { number: 5n, whitelist: traces, blacklist: [...drops, { protocol: ['udp'] }] };
      const flows: GetFlowsResponse[] = await Array.fromAsync(client.getFlows(request));
      const told = flows.flatMap(({ responseTypes: { case: kind, value } }) => (kind === 'flow' ? value : []));
      expect(told.length).toBeGreaterThanOrEqual(5);
      for (const flow of told) {
        expect(flow).toMatchObject({ verdict: Verdict.FORWARDED, l4: { protocol: { case: 'TCP' } } });
      }
      expect((await client.serverStatus({})).seenFlows).toBeGreaterThan(5n);
    }
  });

  test('follows, and leaves when it likes', async () => {
    const ended = new AbortController();
    let seen = 0;
    const stream = connectClient(Observer, relay).getFlows({ follow: true }, { signal: ended.signal });
    await expect(async () => {
      for await (const { responseTypes } of stream) {
        if (responseTypes.case === 'flow' && ++seen === 10) ended.abort();
      }
    }).rejects.toMatchObject({ code: Code.Canceled });
    expect(seen).toBe(10);
  });

  test('is refused with the codes of gRPC', async () => {
    const [atRelay, atAgent] = [connectClient(Observer, relay), connectClient(Observer, lab.agent('node1'))];
    await expect(atAgent.getNodes({})).rejects.toMatchObject({ code: Code.Unimplemented });
    expect((await atRelay.getNodes({})).nodes).toHaveLength(2);
    const bad = [{ first: true, follow: true }, { whitelist: [{ sourceIp: ['1.2.3'] }] }];
    for (const request of bad) {
      await expect(Array.fromAsync(atRelay.getFlows(request))).rejects.toMatchObject({ code: Code.InvalidArgument });
    }
    await expect(Array.fromAsync(atRelay.getAgentEvents({}))).rejects.toMatchObject({ code: Code.Unimplemented });
    const events = await Array.fromAsync(atAgent.getAgentEvents({ number: 1n, first: true }));
    expect(events).toMatchObject([{ agentEvent: { type: AgentEventType.AGENT_STARTED } }]);
  });
});

describe.skipIf(HUBBLE_RELAY === undefined)('the real relay of Cilium (skipped where it was not built)', () => {
  let theirs: HubbleRelay;
  beforeAll(async () => {
    theirs = await HubbleRelay.start(lab.agent('node1'));
  });
  afterAll(() => theirs?.stop());

  const bothNodes = async (server: string) => {
    const { stdout } = await waggle(['observe', '--server', server, '--last', '100', '--print-node-name']);
    return ['node1', 'node2'].every((node) => stdout.includes(`[${lab.name}/${node}]`));
  };

  test('finds our agents through one of them, and serves the flows of all', async () => {
    await eventually(`flows of both nodes`, 40_000, () => bothNodes(theirs.address)).catch(() =>
      expect.fail(theirs.said),
    );
    const { nodes } = JSON.parse(await waggleOk(['list', 'nodes', '--server', theirs.address, '-o', 'json'])) as {
      nodes: { name: string; state: string }[];
    };
    expect(nodes.map(({ name, state }) => [name, state]).sort()).toEqual(
      ['node1', 'node2'].map((node) => [`${lab.name}/${node}`, 'NODE_CONNECTED']),
    );
  });

  test('is what a backend may stand in front of', async () => {
    const behind = await Backend.startWith(['--hubble', theirs.address]);
    try {
      await behind.nodes(NodeState.CONNECTED, ['node1', 'node2'], 40_000);
      await eventually('flows of both nodes', 40_000, () => bothNodes(behind.grpc));
    } finally {
      await behind.stop();
    }
  });
});

describe.skipIf(HUBBLE_CLI === undefined)('the real hubble command (skipped where it was not built)', () => {
  test('tells status, nodes and namespaces', async () => {
    const status = await hubble(relay, ['status']);
    expect(status.stdout).toMatch(/Healthcheck \(via .*\): Ok\nCurrent\/Max Flows: [\d,]+\/131,072/);
    expect(status.stdout).toContain('Connected Nodes: 2/2\n');
    const nodes = await hubble(relay, ['list', 'nodes']);
    for (const node of ['node1', 'node2']) expect(nodes.stdout).toMatch(new RegExp(`${lab.name}/${node} +Connected`));
    const namespaces = await hubble(relay, ['list', 'namespaces']);
    expect(namespaces.stdout.split('\n').slice(0, -1)).toEqual([
      'NAMESPACE',
      'bookinfo',
      'client',
      'default',
      'drops',
      'kube-system',
      'management-ui',
      'stars',
    ]);
  });

  test('tells what happened to an agent', async () => {
    const events = async () =>
      (await hubble(lab.agent('node1').replace('unix:', 'unix://'), ['observe', 'agent-events', '--all'])).stdout;
    for (const line of [
      /AGENT_STARTED/,
      /ENDPOINT_CREATED \(id: 1, namespace: /,
      /POLICY_UPDATED \(labels: .*k8s:io.cilium.k8s.policy.name=/,
      /ENDPOINT_REGENERATE_SUCCESS/,
      /IPCACHE_UPSERTED \(cidr: 10\.[\d.]+\/32, identity: \d+/,
      /SERVICE_UPSERTED \(id: \d+, frontend: /,
    ]) {
      let told = '';
      const found = eventually('', 20_000, async () => {
        told = await events();
        return line.test(told);
      });
      await found.catch(() => expect(told).toMatch(line));
    }
  });

  test('watches peers', async () => {
    let told = '';
    // It goes on until it is ended.
    await eventually('both are told', 60_000, async () => {
      ({ stdout: told } = await hubble(relay, ['watch', 'peers'], 3_000));
      return told !== '';
    });
    for (const node of ['node1', 'node2']) expect(told).toMatch(new RegExp(`PEER_ADDED .*${lab.name}/${node}`));
  });

  test('prints the same flows as waggle observe, whatever the filter', async () => {
    // A stretch of the past: it is the same for both.
    const at = Date.now();
    const range = ['--since', new Date(at - 6_000).toISOString(), '--until', new Date(at - 3_000).toISOString()];
    const filters: string[][] = [
      [],
      ['-o', 'dict'],
      ['-o', 'table'],
      ['--print-node-name'],
      ['-t', 'drop'],
      ['-t', 'trace:to-endpoint'],
      ['--verdict', 'DROPPED'],
      ['--not', '--verdict', 'DROPPED'],
      ['--namespace', 'stars'],
      ['--from-namespace', 'client', '--to-namespace', 'stars'],
      ['--pod', 'stars/frontend', '--port', '80'],
      ['--from-pod', 'web'],
      ['--to-label', 'role=backend'],
      ['--label', 'role in (client, frontend),!nothing'],
      ['--workload', 'Deployment/maindb'],
      ['--ip', '10.0.0.0/8', '--protocol', 'udp'],
      ['--to-port', '3306', '--tcp-flags', 'SYN'],
      ['--identity', 'world'],
      ['--traffic-direction', 'egress', '-4'],
      ['--drop-reason-desc', 'POLICY_DENIED'],
      ['--node-name', '*/node1'],
      ['--cluster', lab.name],
      ['--to-fqdn', '*.example.com'],
      ['--cel-expression', '_flow.l4.TCP.destination_port == 80u'],
      ['--not', '--namespace', 'kube-system', '--not', '--port', '53'],
      ['--http-status', '404'],
      ['-6'],
      ['--unencrypted', '--uuid', 'none'],
      ['-A'],
      ['--service', 'stars/frontend', '--service', 'default/deathstar'],
      ['--numeric', '--last', '30'],
      ['--allowlist', '{"source_pod":["stars/"]}', '--denylist', '{"destination_port":["80"]}'],
    ];
    let lines = 0;
    for (const filter of filters) {
      const both = () =>
        Promise.all([
          // By default it asks for what its lines usually show, which leaves out what they say of sockets.
          hubble(relay, ['observe', '--use-default-field-masks=false', ...range, ...filter]),
          observe(...range, ...filter),
        ]);
      let [theirs, ours] = await both();
      // What a busy node told late came between the two.
      if (ours !== theirs.stdout) [theirs, ours] = await both();
      expect(theirs.stderr, filter.join(' ')).toBe('');
      expect(ours, filter.join(' ')).toBe(theirs.stdout);
      lines += ours.split('\n').length;
    }
    expect(lines).toBeGreaterThan(500);
    const masked = await hubble(relay, ['observe', ...range, '-t', 'trace', '-t', 'drop']);
    expect(masked.stdout).toBe(await observe(...range, '-t', 'trace', '-t', 'drop'));
  }, 240_000);

  test('means the same by every flag as waggle observe', async () => {
    const lines = [
      '-A --tcp-flags FIN',
      '--to-fqdn b.example. --to-port 1 --from-fqdn *',
      '--pod a --namespace b',
      '--from-namespace a --to-namespace b --from-pod c --to-pod b/d',
      '--from-all-namespaces --from-port 80 --to-port 81 --from-label role=client --to-label !x --to-ip 0.0.0.0/0',
      '--to-all-namespaces --from-workload client --to-workload Deployment/backend --from-cluster a --to-cluster b',
      '--from-ip 10.0.0.0/8 --from-identity host --to-identity 2',
      '--ip fd00::/8 --identity 7 --port 80 --workload StatefulSet/db --cluster a --label k8s:a=b',
      '--service stars/frontend --protocol udp',
      '--from-service a --to-service b/ --verdict AUDIT',
      '--fqdn a.example.com --http-method GET --http-path /.* --http-url http://.* --http-header a:b --http-status 4+',
      '--node-label a=b --ip-version v4 -t trace -t drop:133 -t l7 --snat-ip 10.0.0.1 --interface eth0 --trace-id abc',
      '--unencrypted --uuid x -6 --verdict DROPPED --drop-reason-desc POLICY_DENIED --tcp-flags SYN,ACK --tcp-flags RST',
      '-4 --encrypted --ip-trace-id 7 --protocol tcp --protocol http --traffic-direction egress --node-name a/b* -n x',
      '--not --from-service a --not --to-namespace b --cel-expression _flow.l4.TCP.source_port==1u',
      '--ip-version none -l a -n b --not --pod c',
    ].map((line) => line.split(' '));
    const raw = (text: string) =>
      text.split('\n').map((line) => (line.startsWith('    - ') ? JSON.parse(line.slice(7, -1)) : line));
    for (const words of lines) {
      const args = ['observe', ...words, '--print-raw-filters'];
      const [theirs, ours] = await Promise.all([hubble(relay, args), waggleOk(args)]);
      expect(theirs.stderr, words.join(' ')).toBe('');
      expect(raw(ours), words.join(' ')).toEqual(raw(theirs.stdout));
    }
    const asked = new Set(lines.flat());
    const unasked = HUBBLE_FLAGS.filter(({ name, short }) => !asked.has(`--${name}`) && !asked.has(`-${short}`));
    expect(unasked.map(({ name }) => name)).toEqual([]);
  });

  test('reads what waggle observe writes, and the other way round', async () => {
    const json = (await hubble(relay, ['observe', '--last', '50', '-o', 'jsonpb'])).stdout;
    const ours = await waggleOk(['observe', '--input-file', '-'], { input: json });
    expect(ours.split('\n').length).toBeGreaterThan(20);
    const bad = await hubble(relay, ['observe', '--from-ip', '1.2.3']);
    expect(bad).toMatchObject({ status: 1, stderr: expect.stringContaining('"1.2.3" is not an IP address') });
  });
});
