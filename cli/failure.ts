import { terminalText } from '#core/observe/terminal-text.ts';
import { Code, codeName, StatusError } from '#runtime/grpc/service.ts';

/** Exit code where the command line, or a variable in its place, is not understood. */
export const MISUSE = 2;

/** A command cannot go on, for a reason the person can do something about. The message says what and how. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

// Thrown by the language for defects of ours; everything else that reaches the top is about the world outside.
const DEFECTS = [TypeError, RangeError, ReferenceError, SyntaxError];

/** Prints one line for an expected failure, the stack for a defect. Returns the exit code. */
export function reportFailure(error: unknown): number {
  if (error instanceof CommandError) {
    complain(error.message);
    return error.exitCode;
  }
  if (error instanceof StatusError) {
    complain(`${error.message} (${codeName(error.code)})`);
    // What was asked for by the words of the command line.
    return error.code === Code.INVALID_ARGUMENT ? MISUSE : 1;
  }
  if (!(error instanceof Error)) {
    complain(String(error));
    return 1;
  }
  const defect = DEFECTS.some((kind) => error instanceof kind) && !('code' in error);
  complain(defect ? `this is a defect of Waggle: ${error.stack}` : error.message);
  return 1;
}

/** A line on standard error, such as about what does not keep the command from going on. */
export function complain(message: string): void {
  // Servers have a say in it.
  process.stderr.write(`waggle: ${message.split('\n').map(terminalText).join('\n')}\n`);
}
