import { connect } from 'node:net';
import type { DescService } from '@bufbuild/protobuf';
import { type Client, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';

/** A client of Connect's, which is not ours, over gRPC. @param server `host:port` or `unix:/path` */
export function connectClient<S extends DescService>(service: S, server: string): Client<S> {
  const path = server.startsWith('unix:') ? server.slice('unix:'.length) : undefined;
  const transport = createGrpcTransport({
    baseUrl: path === undefined ? `http://${server}` : 'http://localhost',
    nodeOptions: path === undefined ? {} : { createConnection: () => connect(path) },
  });
  return createClient(service, transport);
}
