/**
 * Bundles the CNI plugin: bpf-agent/cni/ → dist/cni/, a launcher and one JavaScript file that need nothing else but Node 24.
 *
 *     node scripts/build-cni.ts
 */
import { chmodSync, copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

const root = join(import.meta.dirname, '..');
const SOURCE = join(root, 'bpf-agent/cni');
const OUTPUT = join(root, 'dist/cni');
const LAUNCHER = 'waggle-cni';

/** Returns the folder: copy what is in it, and a `node` beside it, to the runtime's plugin folder. */
export async function buildCni(): Promise<string> {
  rmSync(OUTPUT, { recursive: true, force: true });
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    ssr: { noExternal: true },
    build: {
      ssr: join(SOURCE, 'main.ts'),
      outDir: OUTPUT,
      target: 'node24',
      minify: false,
      copyPublicDir: false,
      rollupOptions: { output: { entryFileNames: `${LAUNCHER}.mjs`, codeSplitting: false } },
    },
  });
  copyFileSync(join(SOURCE, LAUNCHER), join(OUTPUT, LAUNCHER));
  chmodSync(join(OUTPUT, LAUNCHER), 0o755);
  return OUTPUT;
}

if (import.meta.main) console.log(await buildCni());
