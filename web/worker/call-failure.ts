import { type CallError, CODE, NO_STATUS } from './call-error.ts';
import type { StreamFailure } from './protocol.ts';

/** Whether to try again, and what to tell a person. */
export type CallFailure =
  | ({ readonly retry: true } & StreamFailure)
  | { readonly retry: false; readonly reason: 'filter' | 'permission' | 'session'; readonly message: string };

/** A failed call in plain words. */
export function callFailure(error: CallError | undefined): CallFailure {
  if (error === undefined) return again('The server closed the stream.');
  const { code, message } = error;
  switch (code) {
    case CODE.INVALID_ARGUMENT:
      return { retry: false, reason: 'filter', message };
    case CODE.PERMISSION_DENIED:
      return { retry: false, reason: 'permission', message: `You may not watch this view: ${message}` };
    case CODE.UNAUTHENTICATED:
      return { retry: false, reason: 'session', message: `Sign in to watch flows: ${message}` };
    case CODE.ABORTED:
      return again(`The server has begun anew: ${message}`);
    case CODE.RESOURCE_EXHAUSTED:
      return again(`The server is at its limit: ${message}`);
    case CODE.UNIMPLEMENTED:
      return reload('The server does not know this request: page and server are of different versions.');
    case CODE.DATA_LOSS:
      return reload(`This page cannot read what came (${message}): page and server may be of different versions.`);
    case CODE.DEADLINE_EXCEEDED:
      return again('The server took too long to answer.');
    case NO_STATUS.NO_ANSWER:
      return again(
        globalThis.navigator?.onLine === false
          ? 'This computer is offline, and nothing answers at the server’s address.'
          : 'Nothing answers at its address.',
      );
    case NO_STATUS.BROKEN:
      return again('The connection to the server broke.');
    case NO_STATUS.SILENT:
      return again(
        `Nothing has come from the server for ${message}: it may be busy, or a proxy keeps its answers back.`,
      );
    case NO_STATUS.INTERCEPTED:
      return again(`Something in front of the server answered in its place (${message}).`);
    case NO_STATUS.SIGN_IN:
      return reload(
        `Something in front of the server lets this page no longer pass (${message}): sign in there again.`,
      );
    default:
      return again(`The server does not answer: ${message || `status ${code}`}`);
  }
}

function again(words: string): CallFailure {
  return { retry: true, message: sentence(words), reload: false };
}

function reload(words: string): CallFailure {
  return { retry: true, message: sentence(words), reload: true };
}

/** Others end their words as they like. */
function sentence(words: string): string {
  return /[.!?]$/.test(words) ? words : `${words}.`;
}
