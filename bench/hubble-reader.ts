// A client of a Hubble observer in a process of its own, so that only the server's time is measured. Reads every flow as
// bytes: `node bench/hubble-reader.ts <address> <count> [followers]`, prints how many came. With followers it opens that
// many streams that wait for news, says "following", and ends with its input.
import { create, toBinary } from '@bufbuild/protobuf';
import { credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { GetFlowsRequestSchema } from '#proto/gen/observer/observer_pb.ts';

const [address, count, followers = '0'] = process.argv.slice(2);
const METHOD = '/observer.Observer/GetFlows';
const same = (bytes: Buffer) => bytes;
const request = (init: Parameters<typeof create<typeof GetFlowsRequestSchema>>[1]) =>
  Buffer.from(toBinary(GetFlowsRequestSchema, create(GetFlowsRequestSchema, init)));

if (followers === '0') {
  const client = new GrpcClient(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  const call = client.makeServerStreamRequest(METHOD, same, same, request({ number: BigInt(count), first: true }));
  let flows = 0;
  let bytes = 0;
  call.on('data', (message: Buffer) => {
    flows++;
    bytes += message.length;
  });
  call.on('end', () => {
    console.log(JSON.stringify({ flows, bytes }));
    client.close();
  });
} else {
  // A connection carries at most a thousand streams.
  let open = 0;
  for (let index = 0; index < Number(followers); index++) {
    const client = new GrpcClient(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    const call = client.makeServerStreamRequest(METHOD, same, same, request({ follow: true }));
    call.on('metadata', () => {
      if (++open === Number(followers)) console.log('following');
    });
    call.on('data', () => {});
    call.on('error', () => {});
  }
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}
