import { fileURLToPath } from 'node:url';

/** The scenarios' traffic, recorded by scripts/record.ts: what the demo replays where it cannot observe. */
export const DEMO_RECORDING = fileURLToPath(new URL('./recordings/demo.gz', import.meta.url));
