import type { HTTP } from '#proto/gen/flow/flow_pb.ts';
import type { RowPredicate } from '../../filter/algebra.ts';
import { EVENT_TYPE } from '../event-type.ts';
import { type FilterPart, FlowFilterError, ofLayer7 } from './filter-part.ts';
import { readRegex } from './regex.ts';

const STATUS = /^[1-5](?:\d{2}|\d?\+)$/;

/** `http_status_code`, `http_method`, `http_path`, `http_url`, `http_header`: of flows that were told with HTTP. */
export const httpFilter: FilterPart = (filter, tables) => {
  const asked: RowPredicate[] = [];
  const ask = <V>(values: readonly V[], read: (value: V) => (http: HTTP) => boolean) => {
    if (values.length === 0) return;
    // As Hubble does: one of the two was meant otherwise.
    if (filter.eventType.length > 0 && !filter.eventType.some(({ type }) => type === EVENT_TYPE.L7)) {
      throw new FlowFilterError(
        'event_type',
        filter.eventType.map(({ type }) => type).join(', '),
        'has no HTTP: only 129 (l7) has',
      );
    }
    const questions = values.map(read);
    asked.push(
      ofLayer7(tables, ({ record }) => {
        const http = record.case === 'http' ? record.value : undefined;
        return http !== undefined && questions.some((holds) => holds(http));
      }),
    );
  };
  ask(filter.httpStatusCode, readStatus);
  ask(filter.httpMethod, (wanted) => {
    const upper = wanted.toUpperCase();
    return ({ method }) => method.toUpperCase() === upper;
  });
  ask(filter.httpPath, (pattern) => {
    const matches = readRegex(pattern, 'http_path');
    return ({ url }) => matches(pathOf(url));
  });
  ask(filter.httpUrl, (pattern) => {
    const matches = readRegex(pattern, 'http_url');
    return ({ url }) => matches(url);
  });
  ask(filter.httpHeader, (wanted) => ({ headers }) => {
    return headers.some(({ key, value }) => key === wanted.key && value === wanted.value);
  });
  return asked;
};

function readStatus(wanted: string): (http: HTTP) => boolean {
  if (!STATUS.test(wanted)) {
    throw new FlowFilterError(
      'http_status_code',
      wanted,
      'is not a status such as 404, or the beginning of one: 4+, 40+',
    );
  }
  const beginning = wanted.replace('+', '');
  // A request has no status.
  return ({ code }) => code > 0 && String(code).startsWith(beginning);
}

/** Of a URL, or of the path and query that a request line has. */
function pathOf(url: string): string {
  const slashes = url.indexOf('://');
  const rest = slashes < 0 ? url : url.slice(slashes + 3);
  const from = slashes < 0 ? 0 : rest.search(/[/?#]/);
  return from < 0 ? '' : rest.slice(from).replace(/[?#].*$/s, '');
}
