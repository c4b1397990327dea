import { expect, test } from 'vitest';
import { InvalidValueError } from '#runtime/settings/parsers.ts';
import { flowFilters } from './export-settings.ts';

test('filters stand one after the other, or in a list', () => {
  const read = (text: string) => flowFilters(text).map(({ sourcePod, verdict }) => [...sourcePod, ...verdict]);
  expect(read('{"source_pod":["a/"]}')).toEqual([['a/']]);
  expect(read(' {"source_pod":["a/"]}{"verdict":["DROPPED"]}\n {"source_pod":["b/"]} ')).toEqual([['a/'], [2], ['b/']]);
  expect(read('[{"source_pod":["a/"]}, {"verdict":["AUDIT"]}]')).toEqual([['a/'], [4]]);
  expect(read('')).toEqual([]);
});

test('what stands in a string is left alone', () => {
  const text = String.raw`{"experimental":{"cel_expression":["_flow.Summary == '} {' || \"}{\" == 'x'"]}} {"uuid":["} {"]}`;
  const [cel, uuid] = flowFilters(text);
  expect(cel?.experimental?.celExpression).toEqual([`_flow.Summary == '} {' || "}{" == 'x'`]);
  expect(uuid?.uuid).toEqual(['} {']);
});

test.each([
  '{',
  '{"source_pod":"a"}',
  '{"nothing":[]}',
  '7',
  '{"uuid":["x"]} x',
  `${'}'.repeat(50_000)}${' '.repeat(50_000)}`,
])('no. %# is refused', (text) => {
  expect(() => flowFilters(text)).toThrow(InvalidValueError);
});
