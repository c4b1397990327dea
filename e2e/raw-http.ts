import { request } from 'node:http';
import { connect } from 'node:net';

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** One request whose every header is the caller's, Host included: what fetch() would not let through. */
export function rawRequest(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: Uint8Array | string } = {},
): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: options.method ?? 'GET', headers: options.headers, agent: false });
    sent.setTimeout(20_000, () => sent.destroy(new Error('no answer within 20 s')));
    sent.on('response', (response) => {
      const parts: Buffer[] = [];
      const end = () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) });
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', end);
      response.on('error', end); // the server may hang up once it has refused
    });
    sent.on('error', reject);
    sent.end(options.body);
  });
}

/** The status in the trailers of a gRPC-Web response, or in its headers where there was no body. */
export function grpcStatus({ headers, body }: RawResponse): number | undefined {
  const text = headers['content-type']?.includes('grpc-web-text')
    ? Buffer.concat(
        body
          .toString('latin1')
          .split(/(?<==)(?!=)/)
          .map((part) => Buffer.from(part, 'base64')),
      )
    : body;
  const found = /grpc-status: ?(\d+)/.exec(text.toString('latin1'))?.[1] ?? headers['grpc-status'];
  return found === undefined ? undefined : Number(found);
}

/** Sends bytes as they are; resolves with whatever came back until the peer closed or was silent for a second. */
export function rawBytes(port: number, bytes: Uint8Array | string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('latin1').setTimeout(1_000, () => socket.destroy());
    socket.on('data', (text) => {
      answer += text;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}
