import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowSchema, L7FlowType } from '#proto/gen/flow/flow_pb.ts';
import { carriesCredentials } from './credential-name.ts';
import { redactFlow } from './redact-flow.ts';
import { redactHeader } from './redact-header.ts';
import { redactUrl } from './redact-url.ts';
import { REDACTED, redaction } from './redaction.ts';

const ALL = redaction();
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl-_w';
const R = REDACTED;

describe('a URL', () => {
  test.each([
    ['http://shop/cart', 'http://shop/cart'],
    ['http://shop:8080/a/@me/b', 'http://shop:8080/a/@me/b'],
    ['http://[fd00::1]:80/', 'http://[fd00::1]:80/'],
    ['shop:443', 'shop:443'],
    ['/cart', '/cart'],
    ['*', '*'],
    ['', ''],
    ['http://ann:pw@shop/cart', `http://${R}@shop/cart`],
    ['https://ghp_token@git/', `https://${R}@git/`],
    ['//ann:pw@shop', `//${R}@shop`],
    ['ann:pw@shop/x', `${R}@shop/x`],
    ['http://ann:p/w?d#@shop/x', `http://${R}@shop/x`],
    ['http://ann:p@w@shop/x', `http://${R}@shop/x`],
    ['/find?q=shoes&page=2', `/find?q=${R}&page=${R}`],
    ['/find?q=&page', `/find?q=&${R}`],
    ['/find?', '/find?'],
    ['/find?dG9rZW4==', `/find?${R}`],
    ['/find?ZXlKaGJHY2lPaUpJVXpJMU5pSjk=', `/find?${R}`],
    ['/find?=secret', `/find?${R}`],
    ['/find?a=1;b=2&&', `/find?a=${R};b=${R}&&`],
    ['/find?q=a?b=c', `/find?q=${R}`],
    ['/a;jsessionid=8A/b;v=2?x=1', `/a;jsessionid=${R}/b;v=${R}?x=${R}`],
    ['http://shop/#access_token=1', `http://shop/#${R}`],
    ['http://shop/?token=a&next=http://b/', `http://shop/?token=${R}&next=${R}`],
    ['/p?token=abc&next=http://ann:pw@h/', `/p?token=${R}&next=${R}`],
    [`http://shop/reset/${JWT}`, `http://shop/reset/${R}`],
    [
      'https://hooks.slack.com/services/T01234567/B01234567/abcdefghijklmnop',
      `https://hooks.slack.com/services/T01234567/B01234567/${R}`,
    ],
    ['/bot123456789:AAabcdefghijklmnopqrstuvwxyz01234-_/sendMessage', `/${R}/sendMessage`],
    ['/files/ghp_0123456789abcdefghijklmnopqrstuvwxyz/a', `/files/${R}/a`],
    ['/x/AKIAIOSFODNN7EXAMPLE/y', `/x/${R}/y`],
    ['http://shop/to/http://ann:pw@db/', `http://shop/to/http://${R}@db/`],
    ['/to/http://ghtoken@db/', `/to/http://${R}@db/`],
    ['/to/http%3A%2F%2Fann%3Apw%40db', `/to/http%3A%2F%2F${R}@db`],
    ['http:/ann:pw@shop/', `http:/${R}@shop/`],
    ['/users/ann:pw@shop', `/users/${R}@shop`],
    ['/token=abc/x', `/token=${R}/x`],
    ['/cb%3Ftoken=abc', `/cb%3Ftoken=${R}`],
    ['/cb%3Fa=b%26api_key%3Dabc', `/cb%3Fa=b%26api_key%3D${R}`],
    ['/a,password=abc', `/a,password=${R}`],
    ['/monkey=1/sidewalk=2/a:b/c@d', '/monkey=1/sidewalk=2/a:b/c@d'],
    ['/apis/batch/v1/namespaces/shop/jobs', '/apis/batch/v1/namespaces/shop/jobs'],
  ])('%s is told as %s', (url, told) => {
    expect(redactUrl(url, ALL)).toBe(told);
    expect(redactUrl(told, ALL), 'once more').toBe(told);
  });

  test('keeps the values of parameters that are allowed, under exactly that name', () => {
    const rules = redaction({ query: ['page', 'v', 'flag'] });
    expect(redactUrl('/a;v=2?page=2&Page=3&p%61ge=4&flag', rules)).toBe(`/a;v=2?page=2&Page=${R}&p%61ge=${R}&flag`);
  });

  test('never holds a value, whatever it looks like', () => {
    const secret = fc.string({ minLength: 6, maxLength: 20 }).map((text) => `s3cr3t${text.replace(/[&;@#/=]/g, '')}`);
    fc.assert(
      fc.property(secret, fc.webUrl({ withQueryParameters: true, withFragments: true }), (value, base) => {
        const [before] = base.split(/[?#]/);
        for (const url of [
          `${before}?a=1&b=${value}`,
          `${before}?${value}`,
          `${before};id=${value}?x`,
          `${before}#${value}`,
          before!.replace('//', `//ann:${value}@`),
        ]) {
          expect(redactUrl(url, ALL)).not.toContain('s3cr3t');
        }
      }),
      { numRuns: 200 },
    );
  });

  test('takes time by its length, however it is made', () => {
    // Of our own: what else the machine does is not ours.
    const before = process.cpuUsage();
    for (const part of [
      '?',
      '@',
      ';',
      '//',
      ':',
      '%',
      'a:',
      '&=',
      '#?',
      'http://',
      '%3A%2F',
      'eyJ',
      'eyJhbGciO.',
      'a=',
      '/a:',
      'bot123456:',
      '/services/T123456',
    ])
      redactUrl(part.repeat(50_000), ALL);
    expect(process.cpuUsage(before).user / 1e3).toBeLessThan(3_000);
  });
});

describe('a header', () => {
  test.each(
    'Authorization proxy-authorization Cookie Set-Cookie X-Api-Key X_API_KEY apikey X-Auth-Token x-amz-security-token X-Csrf-Token X-Vault-Token x-client-secret x-goog-iap-jwt-assertion Session-Id X-Forwarded-Client-Cert x-hub-signature-256 X-Password X-Shopify-Hmac-Sha256 X-Encryption-Key x-goog-encryption-key X-License-Key Key X-Pin X-Sid X-Custom-Pwd'.split(
      ' ',
    ),
  )('%s carries credentials', (name) => {
    expect(carriesCredentials(name)).toBe(true);
    expect(redactHeader(name, 'Bearer abc', ALL)).toBe(R);
    expect(redactHeader(name, 'Bearer abc', redaction({ headers: [name.toUpperCase()] }))).toBe('Bearer abc');
  });

  test.each(
    ':authority :method host User-Agent content-type accept X-Request-Id traceparent WWW-Authenticate content-length Idempotency-Key X-Monkey X-Sidecar'.split(
      ' ',
    ),
  )('%s does not', (name) => {
    expect(redactHeader(name, 'text/html; q=0.8, a@b', ALL)).toBe('text/html; q=0.8, a@b');
  });

  test.each([
    [':path', '/login?password=1,2', `/login?password=${R}`],
    ['referer', 'https://ann:pw@shop/?q=1', `https://${R}@shop/?q=${R}`],
    ['link', '</a?x=1>; rel=next, <http://b/?y=2>', `</a?x=${R}>; rel=next, <http://b/?y=${R}>`],
    ['refresh', '0; url=http://ann:pw@b/?y=2', `0; url=http://${R}@b/?y=${R}`],
    ['X-User', JWT, R],
    ['X-Custom', 'Bearer abcdef', R],
    ['X-Whatever', 'basic YW5uOnB3', R],
    [
      'Sec-WebSocket-Protocol',
      'base64url.bearer.authorization.k8s.io.dG9r, v4',
      `base64url.bearer.authorization.k8s.io.${R}, v4`,
    ],
    ['X-Debug', 'token=abc; user=ann', `token=${R}; user=ann`],
    ['WWW-Authenticate', 'Bearer error="invalid_token"', 'Bearer error="invalid_token"'],
    ['user-agent', 'bot (+http://bot.example/about)', 'bot (+http://bot.example/about)'],
  ])('%s: %s is told without what its URLs hold', (name, value, told) => {
    expect(redactHeader(name, value, ALL)).toBe(told);
  });
});

describe('a flow', () => {
  const http = (type: L7FlowType, more: { Summary?: string } = {}) =>
    create(FlowSchema, {
      l7: {
        type,
        latencyNs: 12_700_000n,
        record: {
          case: 'http',
          value: {
            code: type === L7FlowType.RESPONSE ? 200 : 0,
            method: 'GET',
            url: 'http://ann:pw@shop/?token=abc',
            protocol: 'HTTP/1.1',
            headers: [
              { key: 'Authorization', value: 'Bearer abc' },
              { key: 'Accept', value: '*/*' },
            ],
          },
        },
      },
      Summary: 'HTTP/1.1 GET http://ann:pw@shop/?token=abc',
      ...more,
    });

  test('of HTTP says what was asked for and not by whose leave', () => {
    const flow = http(L7FlowType.REQUEST);
    const told = redactFlow(flow, ALL);
    expect(told.l7?.record.value).toMatchObject({
      url: `http://${R}@shop/?token=${R}`,
      headers: [
        { key: 'Authorization', value: R },
        { key: 'Accept', value: '*/*' },
      ],
    });
    expect(told.Summary).toBe(`HTTP/1.1 GET http://${R}@shop/?token=${R}`);
    expect(flow, 'is not changed itself').toEqual(http(L7FlowType.REQUEST));
    expect(redactFlow(http(L7FlowType.RESPONSE), ALL).Summary).toBe(
      `HTTP/1.1 200 12ms (GET http://${R}@shop/?token=${R})`,
    );
  });

  test('says nothing in its summary that its record does not say', () => {
    const told = redactFlow(http(L7FlowType.REQUEST, { Summary: 'http get HTTP://ANN:PW@shop/?TOKEN=abc' }), ALL);
    expect(told.Summary).toBe(`HTTP/1.1 GET http://${R}@shop/?token=${R}`);
    expect(redactFlow(http(L7FlowType.REQUEST, { Summary: '' }), ALL).Summary).toBe('');
  });

  test('of which there is only the text is told likewise', () => {
    const flow = create(FlowSchema, { Summary: 'HTTP/1.1 200 12ms (GET http://ann:pw@shop/?token=abc)' });
    expect(redactFlow(flow, ALL).Summary).toBe(`HTTP/1.1 200 12ms (GET http://${R}@shop/?token=${R})`);
  });

  test('of anything else stays as it is', () => {
    for (const flow of [
      create(FlowSchema, { Summary: 'TCP Flags: SYN' }),
      create(FlowSchema, {
        l7: { record: { case: 'dns', value: { query: 'token.example.com.' } } },
        Summary: 'DNS Query token.example.com. A',
      }),
      create(FlowSchema, { l7: { record: { case: 'kafka', value: { topic: 'tokens', apiKey: 'produce' } } } }),
    ]) {
      expect(redactFlow(flow, ALL)).toBe(flow);
    }
  });
});
