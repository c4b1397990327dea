import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface CertificateFilePaths {
  readonly certificate: string;
  readonly key: string;
}

/** For specs: a certificate authority of its own, made by openssl. */
export class TestAuthority {
  readonly directory = mkdtempSync(join(tmpdir(), 'waggle-tls-'));
  readonly certificate = join(this.directory, 'ca.pem');
  readonly #key = join(this.directory, 'ca.key');
  #serial = 0;

  constructor(name = 'test authority') {
    openssl(
      'req',
      '-x509',
      ...NEW_KEY,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      this.#key,
      '-out',
      this.certificate,
    );
  }

  /** A certificate for these DNS names, and for 127.0.0.1; one that is expired where `days` is below 0. */
  issue(names: readonly string[], { days = 2 } = {}): CertificateFilePaths {
    const base = join(this.directory, `leaf-${++this.#serial}`);
    const [key, request, certificate] = [`${base}.key`, `${base}.csr`, `${base}.pem`];
    openssl('req', ...NEW_KEY, '-subj', `/CN=${names[0]}`, '-keyout', key, '-out', request);
    const extensions = `${base}.ext`;
    writeFileSync(extensions, `subjectAltName=${[...names.map((name) => `DNS:${name}`), 'IP:127.0.0.1'].join(',')}\n`);
    const signed = ['-CA', this.certificate, '-CAkey', this.#key, '-CAcreateserial', '-extfile', extensions];
    openssl('x509', '-req', '-in', request, ...signed, '-days', String(days), '-out', certificate);
    return { certificate, key };
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
