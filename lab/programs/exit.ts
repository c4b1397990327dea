import type { Program } from './program-context.ts';

/** Ends with EXIT_CODE (0) after AFTER_MS (0) milliseconds. */
export const exit: Program = async (context) => {
  const code = context.number('EXIT_CODE', 0, 0, 255);
  const after = context.number('AFTER_MS', 0, 0, 86_400_000);
  context.started();
  await context.pause(after);
  context.log(`exits with ${code}`);
  return code;
};
