/** What the container runtime executes, by way of the `waggle-cni` beside it. */
import { readFileSync } from 'node:fs';
import { answerRuntime } from './cni-plugin.ts';

const MOST_INPUT = 4 * 1024 * 1024;

try {
  const input = readFileSync(0, 'utf8');
  if (input.length > MOST_INPUT) throw new Error(`the network configuration is longer than ${MOST_INPUT} characters`);
  const { output, exitCode } = await answerRuntime(process.env, input);
  if (output !== undefined) process.stdout.write(`${JSON.stringify(output)}\n`);
  process.exitCode = exitCode;
} catch (error) {
  // Whatever it is: without a good answer the pod is not started.
  process.stdout.write(`${JSON.stringify({ cniVersion: '1.1.0', code: 999, msg: String(error) })}\n`);
  process.exitCode = 1;
}
