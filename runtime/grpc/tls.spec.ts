import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { Health as HealthDescriptor } from '#proto/gen/grpc/health/v1/health_pb.ts';
import { Health } from '../health.ts';
import { TestAuthority } from '../testing/certificates.ts';
import { createClient } from './client.ts';
import { healthService } from './health-service.ts';
import { startGrpcServer } from './server.ts';
import { Code } from './service.ts';
import { clientSecurity, serverCredentials, TlsError, type TlsFiles } from './tls.ts';

let ours: TestAuthority;
let others: TestAuthority;
beforeAll(() => {
  ours = new TestAuthority('ours');
  others = new TestAuthority('others');
});
afterAll(() => {
  ours.remove();
  others.remove();
});

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const log = pino({ level: 'silent' });
const options = { lookEveryMs: 20, log };

async function serve(files: TlsFiles & { certificate: string; key: string }) {
  const server = await startGrpcServer({
    address: '127.0.0.1:0',
    credentials: serverCredentials(files, options),
    services: [healthService(new Health(), [])],
    log,
  });
  cleanups.push(() => server.stop(0));
  return server.address;
}

/** Serving or the failure's words, over a connection of its own. */
async function ask(address: string, files?: TlsFiles, serverName?: string): Promise<string> {
  const security = files && clientSecurity(files, serverName, options);
  const client = createClient(HealthDescriptor, address, { security });
  try {
    const { status } = await client.check({}, { deadlineMs: 5_000 });
    return status === 1 ? 'serving' : String(status);
  } catch (error) {
    const { code, message } = error as { code: number; message: string };
    return code === Code.UNAVAILABLE ? message : `${code}: ${message}`;
  } finally {
    client.close();
  }
}

test('a client that trusts the authority gets through, others do not', async () => {
  const address = await serve(ours.issue(['node.kind.hubble-grpc.cilium.io', 'localhost']));
  expect(await ask(address, { authorities: [ours.certificate] })).toBe('serving');
  expect(await ask(address, { authorities: [others.certificate, ours.certificate] })).toBe('serving');
  expect(await ask(address, { authorities: [ours.certificate] }, 'node.kind.hubble-grpc.cilium.io')).toBe('serving');
  expect(await ask(address, { authorities: [others.certificate] })).toMatch(/unable to verify|self-signed|issuer/i);
  expect(await ask(address, {})).toMatch(/unable to verify|self-signed|issuer/i);
  expect(await ask(address, { authorities: [ours.certificate] }, 'other.kind.hubble-grpc.cilium.io')).toMatch(
    /does not match certificate's altnames/,
  );
  // Plain text is no answer to TLS.
  expect(await ask(address)).not.toBe('serving');
});

test('an expired certificate is refused', async () => {
  const address = await serve(ours.issue(['localhost'], { days: -1 }));
  expect(await ask(address, { authorities: [ours.certificate] })).toMatch(/expired/);
});

test('with authorities for clients, each must show a certificate of theirs', async () => {
  const address = await serve({ ...ours.issue(['localhost']), authorities: [others.certificate] });
  const trust = { authorities: [ours.certificate] };
  expect(await ask(address, { ...trust, ...others.issue(['relay']) })).toBe('serving');
  expect(await ask(address, trust)).not.toBe('serving');
  expect(await ask(address, { ...trust, ...ours.issue(['relay']) })).not.toBe('serving');
  expect(await ask(address, { ...trust, ...others.issue(['relay'], { days: -1 }) })).not.toBe('serving');
});

test('files that change are used without a restart, and only when they fit together', async () => {
  const [certificate, key] = ['live.pem', 'live.key'].map((name) => join(ours.directory, name));
  const use = (from: { certificate: string; key: string }) => {
    copyFileSync(from.certificate, certificate);
    copyFileSync(from.key, key);
  };
  use(ours.issue(['localhost']));
  const address = await serve({ certificate, key });
  expect(await ask(address, { authorities: [ours.certificate] })).toBe('serving');
  use(others.issue(['localhost']));
  await vi.waitFor(async () => expect(await ask(address, { authorities: [others.certificate] })).toBe('serving'), {
    timeout: 10_000,
  });
  expect(await ask(address, { authorities: [ours.certificate] })).not.toBe('serving');
  // A key that is not the certificate's, then no certificate at all: what was good stays.
  copyFileSync(ours.issue(['x']).key, key);
  await new Promise((resolve) => setTimeout(resolve, 100));
  writeFileSync(certificate, 'half a certif');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await ask(address, { authorities: [others.certificate] })).toBe('serving');
});

test('a client shows its new certificate, and trusts a new authority, without a restart', async () => {
  const [certificate, key, authority] = ['client.pem', 'client.key', 'client-ca.pem'].map((name) =>
    join(ours.directory, name),
  );
  const use = (from: TestAuthority) => {
    const issued = from.issue(['relay']);
    copyFileSync(issued.certificate, certificate!);
    copyFileSync(issued.key, key!);
    copyFileSync(from.certificate, authority!);
  };
  use(ours);
  const address = await serve({ ...others.issue(['localhost']), authorities: [others.certificate] });
  const files = { certificate, key, authorities: [authority!] };
  const client = createClient(HealthDescriptor, address, { security: clientSecurity(files, undefined, options) });
  cleanups.push(() => client.close());
  await expect(client.check({}, { deadlineMs: 5_000 })).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  use(others);
  await vi.waitFor(async () => expect(await client.check({}, { deadlineMs: 5_000 })).toMatchObject({ status: 1 }), {
    timeout: 20_000,
    interval: 100,
  });
});

test('files that cannot be used are named', () => {
  const { certificate, key } = ours.issue(['localhost']);
  expect(() => serverCredentials({ certificate: '/nowhere.pem', key }, options)).toThrow(
    new TlsError('TLS file /nowhere.pem cannot be read: ENOENT'),
  );
  expect(() => serverCredentials({ certificate: key, key }, options)).toThrow(TlsError);
  expect(() => clientSecurity({ certificate, key: others.issue(['x']).key }, undefined, options)).toThrow(TlsError);
});
