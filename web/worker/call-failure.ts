import { type CallError, NO_ANSWER } from './call-error.ts';

const CODE = {
  INVALID_ARGUMENT: 3,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
};

/** Whether to try again, and what to tell a person. */
export type CallFailure =
  | { readonly retry: true; readonly message: string }
  | { readonly retry: false; readonly reason: 'filter' | 'permission' | 'session'; readonly message: string };

/** A failed call in plain words. */
export function callFailure(error: CallError | undefined): CallFailure {
  if (error === undefined) return { retry: true, message: 'The server closed the stream.' };
  switch (error.code) {
    case CODE.INVALID_ARGUMENT:
      return { retry: false, reason: 'filter', message: error.message };
    case CODE.PERMISSION_DENIED:
      return { retry: false, reason: 'permission', message: `You may not watch this view: ${error.message}` };
    case CODE.UNAUTHENTICATED:
      return { retry: false, reason: 'session', message: `Sign in to watch flows: ${error.message}` };
    case CODE.ABORTED:
      return { retry: true, message: `The server has begun anew: ${error.message}` };
    case CODE.RESOURCE_EXHAUSTED:
      return { retry: true, message: `The server is at its limit: ${error.message}` };
    case CODE.UNIMPLEMENTED:
      return {
        retry: true,
        message: 'The server does not know this request: page and server are of different versions.',
      };
    case CODE.UNAVAILABLE:
      return { retry: true, message: 'The server does not answer.' };
    case NO_ANSWER:
      return { retry: true, message: 'Nothing answers at its address.' };
    default:
      return { retry: true, message: `The server does not answer: ${error.message || `status ${error.code}`}` };
  }
}
