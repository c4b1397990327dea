import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { CommandError } from '../failure.ts';
import { applyObject, getObject, type KubernetesObject, pathOf } from './kubernetes-object.ts';

const AUTHORITY_DAYS = 3_650;
const DAYS = 365;
/** Certificates with less than this left are renewed by `waggle install`, and told by `waggle status`. */
export const RENEW_DAYS = 30;
const DAY_MS = 24 * 3_600_000;
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

interface Secret extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * Makes the secrets that agents and backends know each other by, and renews what is about to end. The authority stays; what runs
 * reads its new certificates by itself. Throws CommandError without openssl.
 */
export async function ensureCertificates(client: ApiClient, namespace: string): Promise<string[]> {
  const kept = await getObject<Secret>(client, pathOf('Secret', namespace, 'waggle-ca'));
  const directory = mkdtempSync(join(tmpdir(), 'waggle-certificates-'));
  const path = (name: string) => join(directory, name);
  const text = (name: string) => readFileSync(path(name), 'utf8');
  const made: string[] = [];
  try {
    if (kept?.data?.['tls.crt'] !== undefined && kept.data['tls.key'] !== undefined) {
      writeFileSync(path('ca.crt'), decoded(kept.data['tls.crt']));
      writeFileSync(path('ca.key'), decoded(kept.data['tls.key']), { mode: 0o600 });
    } else {
      openssl(
        'req',
        '-x509',
        ...NEW_KEY,
        '-days',
        `${AUTHORITY_DAYS}`,
        '-subj',
        '/CN=waggle-ca',
        '-keyout',
        path('ca.key'),
        '-out',
        path('ca.crt'),
      );
      await applyObject(client, secret(namespace, 'waggle-ca', text('ca.crt'), text('ca.crt'), text('ca.key')));
      made.push('waggle-ca');
    }
    for (const part of ['agent', 'backend']) {
      const name = `waggle-${part}-tls`;
      const standing = await getObject<Secret>(client, pathOf('Secret', namespace, name));
      const issuedHere =
        standing?.data?.['ca.crt'] !== undefined && decoded(standing.data['ca.crt']) === text('ca.crt');
      if (issuedHere && daysLeft(standing) > RENEW_DAYS) continue;
      const host = `${part}.${namespace}.waggle.internal`;
      writeFileSync(path('extensions'), `subjectAltName=DNS:${host}\nextendedKeyUsage=serverAuth,clientAuth\n`);
      openssl('req', ...NEW_KEY, '-subj', `/CN=${host}`.slice(0, 64), '-keyout', path('key'), '-out', path('request'));
      const signed = [
        '-CA',
        path('ca.crt'),
        '-CAkey',
        path('ca.key'),
        '-CAcreateserial',
        '-extfile',
        path('extensions'),
      ];
      openssl('x509', '-req', '-in', path('request'), ...signed, '-days', `${DAYS}`, '-out', path('crt'));
      await applyObject(client, secret(namespace, name, text('ca.crt'), text('crt'), text('key')));
      made.push(name);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return made;
}

/** What is left of a secret's certificate, in days; minus infinity where there is none. */
export function daysLeft(object: Secret | undefined): number {
  const certificate = object?.data?.['tls.crt'];
  if (certificate === undefined) return Number.NEGATIVE_INFINITY;
  try {
    return (Date.parse(new X509Certificate(decoded(certificate)).validTo) - Date.now()) / DAY_MS;
  } catch {
    return Number.NEGATIVE_INFINITY;
  }
}

function secret(namespace: string, name: string, ca: string, certificate: string, key: string): KubernetesObject {
  const encoded = (value: string) => Buffer.from(value).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/part-of': 'waggle' } },
    data: { 'ca.crt': encoded(ca), 'tls.crt': encoded(certificate), 'tls.key': encoded(key) },
  };
}

function decoded(value: string): string {
  return Buffer.from(value, 'base64').toString('utf8');
}

function openssl(...args: string[]): void {
  try {
    execFileSync('openssl', args, { stdio: 'pipe' });
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: Buffer };
    if (code === 'ENOENT') throw new CommandError('certificates are made by openssl: install it, or install by Helm');
    throw new CommandError(`openssl: ${stderr?.toString().trim().split('\n').at(-1) ?? (error as Error).message}`);
  }
}
