import { Command } from 'commander';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as parsers from './parsers.ts';
import { addSettings, environmentName, setting } from './setting.ts';

describe('parsers', () => {
  test.for<[parsers.Parser<unknown>, string, unknown]>([
    [parsers.address, '127.0.0.1:12000', '127.0.0.1:12000'],
    [parsers.address, '[::1]:80', '[::1]:80'],
    // A node's address as a manifest puts it in, of either family.
    [parsers.address, '[10.0.0.1]:80', '10.0.0.1:80'],
    [parsers.address, 'unix:/run/a.sock', 'unix:/run/a.sock'],
    [parsers.address, 'relay.kube-system.svc:4245', 'relay.kube-system.svc:4245'],
    [parsers.duration(), '250ms', 250],
    [parsers.duration(), '1.5m', 90_000],
    [parsers.bytes(), '4Mi', 4_194_304],
    [parsers.bytes(), '1k', 1_000],
    [parsers.count(), '64k', 64_000],
    [parsers.count(), '1_000', 1_000],
    [parsers.path, '/a/b', '/a/b'],
    [parsers.port, '0', 0],
    [parsers.oneOf('json', 'table'), 'json', 'json'],
    [parsers.listOf(parsers.objectName), 'a, b,,c', ['a', 'b', 'c']],
    [parsers.cidr, '10.9.8.7/8', '10.0.0.0/8'],
    [parsers.cidr, 'FD00:0::/48', 'fd00::/48'],
    [parsers.hostName, 'Waggle.Example.com', 'waggle.example.com'],
    [parsers.hostName, '10.0.0.7', '10.0.0.7'],
    [parsers.hostName, '::1', '::1'],
    [parsers.origin, 'https://Portal.example.com:8443', 'https://portal.example.com:8443'],
    [parsers.origin, 'https://*.example.com', 'https://*.example.com'],
    [parsers.origin, "'none'", "'none'"],
  ])('%o reads %s', ([parser, text, expected]) => {
    expect(parser(text)).toEqual(expected);
  });

  test.for<[parsers.Parser<unknown>, string]>([
    [parsers.address, '12000'],
    [parsers.address, 'host:'],
    [parsers.address, ':80'],
    [parsers.address, 'host:65536'],
    [parsers.address, '::1:80'],
    [parsers.address, '[::1:80'],
    [parsers.address, '[host]:80'],
    [parsers.address, 'unix:relative'],
    [parsers.address, 'http://host:80'],
    [parsers.duration(), '10'],
    [parsers.cidr, '10.0.0.0'],
    [parsers.cidr, '10.0.0.0/33'],
    [parsers.cidr, 'pods/8'],
    [parsers.duration(), '-1s'],
    [parsers.duration(1_000), '10ms'],
    [parsers.bytes(1_024), '1'],
    [parsers.count(1, 10), '11'],
    [parsers.count(), '1e3'],
    [parsers.path, ''],
    [parsers.port, '70000'],
    [parsers.oneOf('json'), 'yaml'],
    [parsers.objectName, 'Up'],
    [parsers.objectName, '../x'],
    [parsers.objectName, '-a'],
    [parsers.hostName, 'a b'],
    [parsers.hostName, 'http://a'],
    [parsers.hostName, 'a:80'],
    [parsers.origin, 'portal.example.com'],
    [parsers.origin, 'javascript:alert(1)'],
    [parsers.origin, "https://a; script-src 'unsafe-inline'"],
    [parsers.origin, 'https://a/path'],
    [parsers.origin, "'unsafe-inline'"],
  ])('%o refuses %s', ([parser, text]) => {
    expect(() => parser(text)).toThrow(parsers.InvalidValueError);
  });

  test('a duration reads what it prints', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), (ms) => {
        expect(parsers.duration()(parsers.formatDuration(ms))).toBe(ms);
      }),
    );
  });
});

describe('a setting', () => {
  const listen = setting({
    flags: '--grpc-listen <address>',
    description: 'where it listens',
    parser: parsers.address,
    default: '127.0.0.1:4245',
  });
  afterEach(() => vi.unstubAllEnvs());

  const parse = (...argv: string[]) => {
    let complaint = '';
    const command = new Command('backend').exitOverride().configureOutput({ writeErr: (text) => (complaint += text) });
    addSettings(command, listen);
    try {
      return command.parse(argv, { from: 'user' }).opts().grpcListen;
    } catch {
      return complaint;
    }
  };

  test('takes its variable’s name from the flag', () => {
    expect(environmentName('-l, --grpc-listen <address>')).toBe('WAGGLE_GRPC_LISTEN');
    expect(environmentName('--no-agent')).toBe('WAGGLE_AGENT');
  });

  test('is the flag, else the variable, else the default', () => {
    expect(parse()).toBe('127.0.0.1:4245');
    vi.stubEnv('WAGGLE_GRPC_LISTEN', '127.0.0.1:1');
    expect(parse()).toBe('127.0.0.1:1');
    expect(parse('--grpc-listen', '127.0.0.1:2')).toBe('127.0.0.1:2');
  });

  test('that cannot be read is refused by its name, with what is accepted', () => {
    expect(parse('--grpc-listen', 'nonsense')).toMatch(/--grpc-listen.*'nonsense' is invalid.*host:port/s);
    vi.stubEnv('WAGGLE_GRPC_LISTEN', 'worse');
    expect(parse()).toMatch(/'worse' from env 'WAGGLE_GRPC_LISTEN'.*host:port/s);
  });
});
