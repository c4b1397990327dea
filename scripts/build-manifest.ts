// Renders the Helm chart to deploy/waggle.yaml, for `kubectl apply` and `waggle install`. Needs helm (scripts/build-envtest.ts
// builds one). scripts/manifest.api.spec.ts holds the two together. Run: node scripts/build-manifest.ts
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '#runtime/testing/api-server.ts';

const ROOT = join(import.meta.dirname, '..');
export const CHART = join(ROOT, 'deploy/helm/waggle');
export const MANIFEST = join(ROOT, 'deploy/waggle.yaml');

const HEAD = `# Waggle for a cluster, rendered from deploy/helm/waggle by scripts/build-manifest.ts: change the chart, not this.
# The secrets it names are made by deploy/make-certificates.sh, or all of it is done by \`npx waggle install\`.
---
apiVersion: v1
kind: Namespace
metadata:
  name: waggle
  labels:
    app.kubernetes.io/part-of: waggle
    # Agents are in their nodes' network, among their processes.
    pod-security.kubernetes.io/enforce: privileged
`;

/** Values for a kind of cluster, by the file's name. */
export const PLATFORMS = join(CHART, 'platforms');

/**
 * The chart as templates make it with these values. Throws an error with helm's own words.
 * @param files of values, taken before these
 */
export function renderChart(values: Readonly<Record<string, unknown>> = {}, files: readonly string[] = []): string {
  const helm = findProgram('helm');
  if (helm === undefined) throw new Error('there is no helm: node scripts/build-envtest.ts helm builds it');
  const sets = Object.entries(values).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]);
  return execFileSync(
    helm,
    ['template', 'waggle', CHART, '--namespace', 'waggle', ...files.flatMap((file) => ['--values', file]), ...sets],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, HELM_CACHE_HOME: '/tmp', HELM_CONFIG_HOME: '/tmp', HELM_DATA_HOME: '/tmp' },
    },
  );
}

export function plainManifest(): string {
  // No keys in a file that everybody has.
  const rendered = renderChart({ 'tls.method': 'secret' });
  return `${HEAD}${rendered.replaceAll(/^# Source: .*\n/gm, '').replaceAll('managed-by: Helm', 'managed-by: waggle')}`;
}

if (import.meta.main) {
  writeFileSync(MANIFEST, plainManifest());
  console.log(MANIFEST);
}
