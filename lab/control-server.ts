import { chmodSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Cluster } from './cluster.ts';
import type { AgentAction, ApplyRequest, DeleteRequest, LabStatus, ScaleRequest } from './control-requests.ts';
import { KINDS } from './manifest/kinds.ts';
import { apply, execTarget, logFile, remove, scale, VerbError } from './verbs.ts';

/** Largest request body, in bytes. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
const AGENT_DEADLINE_MS = 60_000;

/** Serves the lab's verbs on its control socket, to root alone. */
export async function startControlServer(cluster: Cluster, socket: string): Promise<Server> {
  const server = createServer((request, response) => {
    answer(cluster, request).then(
      (body) => send(response, 200, body),
      (error: Error) => send(response, error instanceof VerbError ? error.status : 500, { error: error.message }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  chmodSync(socket, 0o600);
  return server;
}

async function answer(cluster: Cluster, request: IncomingMessage): Promise<unknown> {
  const url = new URL(request.url ?? '/', 'http://lab');
  const [verb = '', ...rest] = url.pathname.split('/').slice(1).map(decodeURIComponent);
  const query = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const required = (name: string): string => {
    const value = query(name);
    if (value === undefined) throw new VerbError(400, `${name} is missing`);
    return value;
  };
  switch (`${request.method} ${verb}`) {
    case 'GET lab':
      return status(cluster);
    case 'POST apply':
      return apply(cluster, (await body(request)) as ApplyRequest);
    case 'POST delete':
      return remove(cluster, (await body(request)) as DeleteRequest);
    case 'POST scale':
      return scale(cluster, (await body(request)) as ScaleRequest);
    case 'GET objects': {
      const kind = KINDS.find((candidate) => candidate.kind === rest[0]);
      if (!kind) throw new VerbError(404, `the lab keeps no "${rest[0]}"`);
      return { items: cluster.store.list(kind.kind, kind.namespaced ? query('namespace') : undefined) };
    }
    case 'GET exec-target':
      return execTarget(cluster, required('namespace'), required('pod'), query('container'));
    case 'GET log':
      return logFile(cluster, required('namespace'), required('pod'), query('container'));
    case 'POST agents':
      return agentAction(cluster, rest[0] ?? '', rest[1] as AgentAction);
    default:
      throw new VerbError(404, `there is no ${request.method} ${url.pathname}`);
  }
}

function status(cluster: Cluster): LabStatus {
  const { layout, options, nodes } = cluster;
  return {
    name: layout.name,
    pid: process.pid,
    cgroup: cluster.cgroup,
    cgroupDriver: options.cgroupDriver,
    stateDir: layout.stateDir,
    hostAddress: cluster.hostAddress,
    nodes: nodes.map(({ name, address, netns, cgroup, agent }) => ({
      name,
      address,
      netns,
      cgroup,
      agent: agent?.state ?? 'none',
      ...(agent?.pid === undefined ? {} : { agentPid: agent.pid }),
    })),
  };
}

async function agentAction(cluster: Cluster, name: string, action: AgentAction): Promise<unknown> {
  const node = cluster.nodes.find((candidate) => candidate.name === name);
  if (!node)
    throw new VerbError(404, `there is no node "${name}"; there are ${cluster.nodes.map((n) => n.name).join(', ')}`);
  const { agent } = node;
  if (!agent) throw new VerbError(409, 'this lab was brought up without agents');
  if (action === 'stop') await agent.stop();
  else if (action === 'kill') await agent.kill();
  else if (action === 'start' || action === 'restart') {
    if (action === 'start') agent.start();
    else await agent.restart();
    await agent.ready(AGENT_DEADLINE_MS);
  } else throw new VerbError(404, `an agent can be started, stopped, restarted and killed, not "${action}"`);
  return { node: name, agent: agent.state };
}

async function body(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new VerbError(413, `more than ${MAX_BODY_BYTES} bytes of manifests at once`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw new VerbError(400, `the request is not JSON: ${(error as Error).message}`);
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
