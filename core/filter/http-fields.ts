import type { HttpRecord, Layer7 } from '../flow/layer7.ts';
import { httpPath } from '../flow/layer7-text.ts';
import { glob } from './glob.ts';
import { layer7Field } from './layer7-field.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'];

export const httpStatusField = layer7Field({
  name: 'http.status',
  doc: 'the status of an HTTP response: "404", or a class of them: "5xx", "40x"',
  example: 'http.status=5xx',
  choices: ['2xx', '3xx', '4xx', '5xx'],
  parse(text) {
    // As Hubble writes classes: 4+, 40+.
    const status = text
      .toLowerCase()
      .replace(/^([1-5])\+$/, '$1xx')
      .replace(/^([1-5]\d)\+$/, '$1x');
    return /^[1-5](\d\d|\dx|xx)$/.test(status)
      ? { value: status }
      : { problem: `"${text}" is not an HTTP status: 100 to 599, or a class as 5xx` };
  },
  // A request has no status.
  saidBy: (record) => text(http(record)?.code),
  matcher(status) {
    const beginning = status.replaceAll('x', '');
    return (record) => text(http(record)?.code)?.startsWith(beginning) ?? false;
  },
});

export const httpMethodField = layer7Field({
  name: 'http.method',
  doc: 'the method of an HTTP request, and of its response',
  example: 'http.method=POST',
  choices: METHODS,
  parse(text) {
    const method = text.toUpperCase();
    return METHODS.includes(method) ? { value: method } : { problem: `"${text}" is not one of ${METHODS.join(', ')}` };
  },
  saidBy: (record) => http(record)?.method.toUpperCase() || undefined,
  matcher: (method) => (record) => http(record)?.method.toUpperCase() === method,
});

export const httpPathField = layer7Field({
  name: 'http.path',
  doc: 'the path of an HTTP request, and of its response; "*" stands for any characters',
  example: 'http.path=/api/*',
  parse: (text) =>
    /^\/[!-~]*$/.test(text) ? { value: text } : { problem: `"${text}" is not a path: paths begin with "/"` },
  saidBy: pathOf,
  matcher(pattern) {
    const matches = glob(pattern);
    return (record) => {
      const path = pathOf(record);
      return path !== undefined && matches(path);
    };
  },
});

function http({ record }: Layer7): HttpRecord | undefined {
  return record?.kind === 'http' ? record : undefined;
}

/** Undefined where it is not kept. */
function pathOf(record: Layer7): string | undefined {
  const url = http(record)?.url ?? '';
  return url === '' ? undefined : httpPath(url) || '/';
}

function text(code: number | undefined): string | undefined {
  return code === undefined || code === 0 ? undefined : String(code);
}
