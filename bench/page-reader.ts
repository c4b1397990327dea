// Browser clients in a process of their own: `node bench/page-reader.ts <url> <clients>` opens what a page opens, each on a
// connection of its own, says "watching" when each has had its map, and once a second how many bytes have come. Ends with its input.
import { Agent, request } from 'node:http';
import { create, toBinary } from '@bufbuild/protobuf';
import { WatchRequestSchema } from '#proto/gen/waggle/v1/view_pb.ts';

const [url, clients] = [process.argv[2]!, Number(process.argv[3])];
const message = toBinary(WatchRequestSchema, create(WatchRequestSchema, { flows: true, map: true, last: 256 }));
const body = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
let watching = 0;
let bytes = 0;
let ended = 0;

function open(): void {
  const headers = { 'content-type': 'application/grpc-web+proto', 'content-length': body.length };
  const sent = request(`${url}/api/waggle.v1.ViewService/Watch`, { method: 'POST', headers, agent }, (response) => {
    let first = true;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (!first) return;
      first = false;
      if (++watching === clients) console.log('watching');
    });
    // As the page does when the server has sent enough.
    response.on('end', () => {
      ended++;
      open();
    });
  });
  sent.on('error', () => ended++);
  sent.end(body);
}

for (let client = 0; client < clients; client++) {
  open();
  if (client % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 20));
}
setInterval(() => console.log(JSON.stringify({ bytes, ended })), 1_000);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
