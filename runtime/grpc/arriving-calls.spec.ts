import { type ClientHttp2Session, connect } from 'node:http2';
import { create } from '@bufbuild/protobuf';
import { pino } from 'pino';
import { afterEach, expect, it } from 'vitest';
import { FlowService, StatusResponseSchema } from '#proto/gen/waggle/v1/flow_pb.ts';
import { createClient } from './client.ts';
import { type GrpcServer, startGrpcServer } from './server.ts';
import { Code, service } from './service.ts';

const MOST = 4;
const FRAME_HEADER = 5;

let server: GrpcServer;
let session: ClientHttp2Session;
async function serve(withinMs: number): Promise<void> {
  const flows = service(FlowService, {
    async *follow() {},
    status: async () => create(StatusResponseSchema, { version: 'alive' }),
  });
  const log = pino({ level: 'silent' });
  server = await startGrpcServer({
    address: '127.0.0.1:0',
    services: [flows],
    arriving: { most: MOST, withinMs },
    log,
  });
  session = connect(`http://${server.address}`).on('error', () => {});
}
afterEach(async () => {
  session.destroy();
  await server.stop(0);
});

/** Begins a call, sends this much of a request of that length, and says no more. Resolves with the status; -1 where there was none. */
function begin(path: string, announced: number, sent: number): Promise<{ code: number; message: string }> {
  const header = Buffer.alloc(FRAME_HEADER);
  header.writeUInt32BE(announced, 1);
  return new Promise((resolve) => {
    const call = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    call.on('error', () => {}).on('close', () => resolve({ code: -1, message: '' }));
    call.resume();
    call.on('response', (headers) => {
      const status = headers['grpc-status'];
      if (status === undefined) return;
      resolve({ code: Number(status), message: decodeURI(String(headers['grpc-message'])) });
      call.close();
    });
    call.write(Buffer.concat([header, Buffer.alloc(sent)]));
  });
}

const FOLLOW = `/${FlowService.typeName}/Follow`;
const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

it('who does not finish saying what they want is cut off', async () => {
  await serve(1_000);
  const { code, message } = await begin(FOLLOW, 100_000, 50_000);
  expect([code, message]).toEqual([Code.RESOURCE_EXHAUSTED, 'the request has not come within 1 s']);
});

it('of too many at once, those go that have been at it the longest; whoever says it whole is answered', async () => {
  await serve(600_000);
  const first = Array.from({ length: MOST }, () => begin(FOLLOW, 100_000, 50_000));
  // Also on calls that may go on asking.
  const later = Array.from({ length: MOST }, (_, at) => begin(at % 2 ? REFLECTION : FOLLOW, 100_000, 50_000));
  for (const { code, message } of await Promise.all(first)) {
    expect([code, message]).toEqual([Code.RESOURCE_EXHAUSTED, expect.stringContaining('too many')]);
  }
  const client = createClient(FlowService, server.address);
  expect((await client.status({})).version).toBe('alive');
  client.close();
  session.destroy();
  await Promise.all(later);
});

it('nobody has to be answered a request of any length', async () => {
  await serve(600_000);
  const { code } = await begin(FOLLOW, 300_000, 10);
  expect(code).toBe(Code.RESOURCE_EXHAUSTED);
});
