import { type FilterField, unobservedField } from './filter-field.ts';

const unobserved = 'flows do not tell HTTP requests yet';
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'];

export const httpStatusField: FilterField = unobservedField({
  name: 'http.status',
  doc: 'the status of an HTTP response: "404", or a class of them: "5xx", "40x"',
  example: 'http.status=5xx',
  choices: ['2xx', '3xx', '4xx', '5xx'],
  unobserved,
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
  print: (status) => status,
});

export const httpMethodField: FilterField = unobservedField({
  name: 'http.method',
  doc: 'the method of an HTTP request',
  example: 'http.method=POST',
  choices: METHODS,
  unobserved,
  parse(text) {
    const method = text.toUpperCase();
    return METHODS.includes(method) ? { value: method } : { problem: `"${text}" is not one of ${METHODS.join(', ')}` };
  },
  print: (method) => method,
});

export const httpPathField: FilterField = unobservedField({
  name: 'http.path',
  doc: 'the path of an HTTP request; "*" stands for any characters',
  example: 'http.path=/api/*',
  unobserved,
  parse: (text) =>
    /^\/[!-~]*$/.test(text) ? { value: text } : { problem: `"${text}" is not a path: paths begin with "/"` },
  print: (path) => path,
});
