// Takes the definitions of other people's kinds that the chart may write, from their public Go modules, for
// scripts/manifest.api.spec.ts: cert-manager's and the Prometheus operator's. Needs Go; takes seconds.
// Run: node scripts/fetch-crds.ts
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const MODULES = [
  {
    module: 'github.com/cert-manager/cert-manager@v1.21.2',
    files: ['deploy/crds/cert-manager.io_certificates.yaml', 'deploy/crds/cert-manager.io_issuers.yaml'],
  },
  {
    module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    files: ['example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml'],
  },
] as const;

const FOLDER = process.env.WAGGLE_CRDS || join(homedir(), '.cache/waggle/crds');

/** Files of the definitions; undefined where they were not fetched. */
export function findCrds(): string[] | undefined {
  const paths = MODULES.flatMap(({ files }) => files.map((file) => join(FOLDER, basename(file))));
  return paths.every((path) => existsSync(path)) ? paths : undefined;
}

function fetchCrds(): void {
  const work = mkdtempSync(join(tmpdir(), 'waggle-crds-'));
  try {
    writeFileSync(join(work, 'go.mod'), 'module crds\n\ngo 1.25\n');
    mkdirSync(FOLDER, { recursive: true });
    for (const { module, files } of MODULES) {
      const told = execFileSync('go', ['mod', 'download', '-json', module], {
        cwd: work,
        encoding: 'utf8',
        env: { ...process.env, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' },
      });
      const { Dir } = JSON.parse(told) as { Dir: string };
      for (const file of files) {
        copyFileSync(join(Dir, file), join(FOLDER, basename(file)));
        console.log(join(FOLDER, basename(file)));
      }
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (import.meta.main) fetchCrds();
