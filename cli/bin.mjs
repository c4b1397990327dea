#!/usr/bin/env node
// The `waggle` command. Plain JavaScript for any Node from 18 on: it looks for the Node 24 that comes with the dependencies and
// hands over to it, because the sources are TypeScript, which that Node runs directly.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundledNode } from '../runtime/bundled-node.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = join(root, 'cli', 'waggle.ts');

if (!existsSync(join(root, 'node_modules', 'commander'))) {
  fail(`dependencies are not installed: run "npm ci" in ${root}, or "npm start", which does it`);
}
if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(entry);
} else {
  const node = bundledNode(root);
  if (node === undefined) {
    fail(
      `Node 24 is needed, this is ${process.version}, and none came with the dependencies for ${process.platform}-${process.arch}: ` +
        `install Node 24, or run "npm ci" in ${root} without --omit=optional`,
    );
  }
  handOver(node, [entry, ...process.argv.slice(2)]);
}

function handOver(command, argv) {
  const child = spawn(command, argv, { stdio: 'inherit' });
  // The child decides what a signal means (it cleans up first); this process only waits for it. Ctrl-C in a terminal reaches
  // the whole group by itself and is not passed on a second time.
  const passOn = (signal) => child.kill(signal);
  process.on('SIGTERM', passOn);
  process.on('SIGHUP', passOn);
  process.on('SIGINT', (signal) => process.stdin.isTTY || passOn(signal));
  child.on('error', (error) => fail(`${command} cannot be started: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}

function fail(message) {
  process.stderr.write(`waggle: ${message}\n`);
  process.exit(1);
}
