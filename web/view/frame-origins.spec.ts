import { expect, test } from 'vitest';
import { isAllowedOrigin } from './frame-origins.ts';

const OWN = 'http://127.0.0.1:12000';
const ALLOWED = ['https://portal.example', 'https://*.corp.example:8443', "'self'", '*', 'https:'];

test.for<[string, boolean]>([
  [OWN, true],
  ['https://portal.example', true],
  ['http://portal.example', false],
  ['https://portal.example:444', false],
  ['https://evil-portal.example', false],
  ['https://portal.example.evil', false],
  ['https://a.corp.example:8443', true],
  ['https://a.b.corp.example:8443', true],
  ['https://corp.example:8443', false],
  ['https://.corp.example:8443', false],
  ['https://evilcorp.example:8443', false],
  ['http://127.0.0.1:12001', false],
  ['null', false],
  ['', false],
])('%s: %s', ([origin, allowed]) => {
  expect(isAllowedOrigin(origin, ALLOWED, OWN)).toBe(allowed);
});
