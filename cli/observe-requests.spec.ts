import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BehindHubble } from '#backend/testing/behind-hubble.ts';
import { type Layer7Init, requestFlow } from '#runtime/testing/fake-hubble.ts';

// Requests that another Hubble tells, as the command prints them from a backend in front of it.

const WAGGLE = fileURLToPath(new URL('./waggle.ts', import.meta.url));
const AT = Date.UTC(2026, 10, 21, 9, 26, 56, 123);
const ENDS = {
  client: { namespace: 'shop', name: 'web', address: '10.0.0.1' },
  server: { namespace: 'shop', name: 'cart', address: '10.0.0.2' },
  port: 80,
};
const http = (type: 1 | 2, code: number, latencyNs: bigint): Layer7Init => ({
  type,
  latencyNs,
  record: { case: 'http', value: { code, method: 'GET', url: 'http://cart/pay?card=4711', protocol: 'HTTP/1.1' } },
});

const behind = new BehindHubble();
beforeAll(() =>
  behind.start(
    requestFlow(ENDS, http(1, 0, 0n), { time: timestampFromMs(AT) }),
    requestFlow(ENDS, http(2, 503, 12_345_678n), { time: timestampFromMs(AT + 12) }),
  ),
);
afterAll(() => behind.stop());

async function observe(...args: string[]): Promise<string> {
  const { WAGGLE_SERVER: _, ...env } = process.env;
  const command = [WAGGLE, 'observe', '--server', behind.backend.relayAddress, ...args];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'], env });
  let stdout = '';
  for await (const chunk of child.stdout) stdout += chunk;
  return stdout;
}

const ANSWER =
  'Nov 21 09:26:56.135: shop/web-1:41000 (ID:1003) <- shop/cart-1:80 (ID:1004) http-response FORWARDED (HTTP/1.1 503 12ms (GET http://cart/pay?card=HUBBLE_REDACTED))\n';

it('prints requests as hubble observe does', async () => {
  expect(await observe()).toBe(
    `Nov 21 09:26:56.123: shop/web-1:41000 (ID:1003) -> shop/cart-1:80 (ID:1004) http-request FORWARDED (HTTP/1.1 GET http://cart/pay?card=HUBBLE_REDACTED)\n${ANSWER}`,
  );
});

it.each([
  ['Hubble’s filters', ['--http-status', '5+']],
  ['words', ['http.status=5xx']],
])('finds them by %s', async (_, args) => {
  expect(await observe(...args)).toBe(ANSWER);
});

it('prints them as a dictionary and as a table, who answers as the source', async () => {
  const summary = 'HTTP/1.1 503 12ms (GET http://cart/pay?card=HUBBLE_REDACTED)';
  expect(await observe('-o', 'dict', '--http-status', '503')).toBe(`  TIMESTAMP: Nov 21 09:26:56.135
     SOURCE: shop/cart-1:80
DESTINATION: shop/web-1:41000
       TYPE: http-response
    VERDICT: FORWARDED
    SUMMARY: ${summary}
`);
  expect(await observe('-o', 'table', '--http-status', '503')).toBe(`\
TIMESTAMP             SOURCE           DESTINATION        TYPE            VERDICT     SUMMARY
Nov 21 09:26:56.135   shop/cart-1:80   shop/web-1:41000   http-response   FORWARDED   ${summary}
`);
});

it('tells all of it as JSON', async () => {
  const [line] = (await observe('-o', 'json', '--http-status', '503')).split('\n');
  const { l7, Type, event_type } = JSON.parse(line).flow;
  expect({ l7, Type, event_type }).toEqual({
    l7: {
      type: 'RESPONSE',
      latency_ns: '12345678',
      http: { code: 503, method: 'GET', url: 'http://cart/pay?card=HUBBLE_REDACTED', protocol: 'HTTP/1.1' },
    },
    Type: 'L7',
    event_type: { type: 129 },
  });
});
