import { type FilterPart, FlowFilterError, nowhere } from './filter-part.ts';
import { readRegex } from './regex.ts';

const STATUS = /^[1-5](?:\d{2}|\d?\+)$/;

/** `http_status_code`, `http_method`, `http_path`, `http_url`, `http_header`: read, and true of no flow of layers 3 and 4. */
export const httpFilter: FilterPart = (filter) => {
  for (const code of filter.httpStatusCode) {
    if (!STATUS.test(code)) {
      throw new FlowFilterError(
        'http_status_code',
        code,
        'is not a status such as 404, or the beginning of one: 4+, 40+',
      );
    }
  }
  for (const pattern of filter.httpPath) readRegex(pattern, 'http_path');
  for (const pattern of filter.httpUrl) readRegex(pattern, 'http_url');
  const { httpStatusCode, httpMethod, httpPath, httpUrl, httpHeader } = filter;
  const asked = [httpStatusCode, httpMethod, httpPath, httpUrl, httpHeader].some(({ length }) => length > 0);
  return asked ? [nowhere] : [];
};
