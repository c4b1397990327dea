import { type Program, untilStopped } from './program-context.ts';

/** Does nothing until it is stopped. */
export const sleep: Program = (context) => {
  context.started();
  return untilStopped(context);
};
