import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GetFlowsRequest, Observer } from '#proto/gen/observer/observer_pb.ts';
import { type GrpcServer, startGrpcServer } from '#runtime/grpc/server.ts';
import { Code, StatusError, service } from '#runtime/grpc/service.ts';
import { observeCommand } from './observe-command.ts';

// What an observer is asked for by `waggle observe`, and by the real command where scripts/build-hubble-cli.ts built it.

const COMMAND = join(homedir(), '.cache/waggle/hubble-1.19.6/hubble');

let server: GrpcServer;
let asked: GetFlowsRequest | undefined;
beforeAll(async () => {
  const refuse = () => {
    throw new StatusError(Code.UNIMPLEMENTED, 'not of interest here');
  };
  const observer = service(Observer, {
    getFlows: (request) => {
      asked = request;
      return Readable.from([]);
    },
    getAgentEvents: refuse,
    getDebugEvents: refuse,
    getNodes: refuse,
    getNamespaces: refuse,
    serverStatus: refuse,
  });
  server = await startGrpcServer({ address: '127.0.0.1:0', services: [observer], log: pino({ level: 'silent' }) });
});
afterAll(() => server?.stop(0));

/** The request in words; times as how long ago. */
function words({ number, first, follow, since, until }: GetFlowsRequest): string {
  const ago = (time: typeof since) => `${Math.round((Date.now() - timestampMs(time!)) / 60_000)}m`;
  const parts = [number > 0n && `${first ? 'first' : 'last'} ${number}`, since && `since ${ago(since)}`];
  return [...parts, until && `until ${ago(until)}`, follow && 'follow'].filter(Boolean).join(', ');
}

const EVERYTHING = 'last 18446744073709551615';
const LINES = {
  '': 'last 20',
  '--last 0': 'last 20',
  '--first 0': 'last 20',
  '--last 20000000': 'last 20000000',
  '--first 3': 'first 3',
  '--all': EVERYTHING,
  '--all --last 0': EVERYTHING,
  '--all -f': `${EVERYTHING}, follow`,
  '-f': 'follow',
  '-f --last 7': 'last 7, follow',
  '--since 10m': 'since 10m',
  '--last 0 --since 1.5h': 'since 90m',
  '--since 0': 'since 0m',
  '--since 3000000us --last 3': 'last 3, since 0m',
  '--since 5m -f': 'since 5m, follow',
  '--until 10m': 'until 10m',
  '--until 10m --last 5': 'last 5, until 10m',
  '--until 10m --first 3 --since 1h': 'first 3, since 60m, until 10m',
};

describe('an observer', () => {
  it.each(Object.entries(LINES))('is asked by "%s" for: %s', async (line, expected) => {
    asked = undefined;
    const flags = ['--server', server.address, ...line.split(' ').filter(Boolean)];
    await observeCommand().parseAsync(flags, { from: 'user' });
    expect(asked && words(asked)).toBe(expected);
  });

  it.skipIf(!existsSync(COMMAND))(
    'is asked for the same by the real command (skipped where it was not built)',
    async () => {
      for (const [line, expected] of Object.entries(LINES)) {
        asked = undefined;
        const flags = ['observe', '--server', server.address, ...line.split(' ').filter(Boolean)];
        await promisify(execFile)(COMMAND, flags);
        expect(asked && words(asked), line).toBe(expected);
      }
    },
  );
});
