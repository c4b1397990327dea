import type { Filter } from '#core/filter/filter.ts';
import { parseFilter } from '#core/filter/parse-filter.ts';
import { Code, StatusError } from '#runtime/grpc/service.ts';

const MOST_NAMESPACES = 1_000;
const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Checks what a request asks to see. Throws a StatusError that names the bad part. */
export function readSelection(request: { namespaces: string[]; filter: string[] }): {
  namespaces: string[];
  filter: Filter;
} {
  const { namespaces } = request;
  if (namespaces.length > MOST_NAMESPACES) {
    throw invalid(`${namespaces.length} namespaces were asked for, at most ${MOST_NAMESPACES} are possible`);
  }
  for (const name of namespaces) {
    if (!NAMESPACE.test(name)) throw invalid(`"${name.slice(0, 80)}" is not a namespace's name`);
  }
  const { filter, errors } = parseFilter(request.filter);
  if (errors.length > 0) {
    const { token, start, end, message } = errors[0];
    throw invalid(
      `filter ${token + 1}, characters ${start + 1} to ${Math.max(end, start + 1)}: ${message.slice(0, 400)}`,
    );
  }
  return { namespaces, filter };
}

function invalid(message: string): StatusError {
  return new StatusError(Code.INVALID_ARGUMENT, message);
}
