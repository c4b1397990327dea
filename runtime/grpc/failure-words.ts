import { Code, StatusError } from './service.ts';

/** What a failed call means to who reads of it. Codes that are missing say nothing beside their message. */
const WORDS: Partial<Record<Code, string>> = {
  [Code.CANCELLED]: 'broken off',
  [Code.UNKNOWN]: 'failed',
  [Code.INVALID_ARGUMENT]: 'did not understand',
  [Code.PERMISSION_DENIED]: 'not allowed',
  [Code.RESOURCE_EXHAUSTED]: 'too much at once',
  [Code.UNIMPLEMENTED]: 'no agent of this version',
  [Code.INTERNAL]: 'failed',
  [Code.DATA_LOSS]: 'cannot be read',
  [Code.UNAUTHENTICATED]: 'not let in',
};

/** Why a call failed, in words for a person; the name of its code stands nowhere else but in logs. */
export function failureWords(error: unknown): string {
  if (!(error instanceof StatusError)) return error instanceof Error ? error.message : String(error);
  const words = WORDS[error.code];
  return words === undefined ? error.message : `${words}: ${error.message}`;
}
