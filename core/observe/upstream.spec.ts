import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toJson } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GetFlowsResponse, GetFlowsResponseSchema } from '#proto/gen/observer/observer_pb.ts';
import { flowMessage } from '../hubble/flow-message.ts';
import { generatedWindow } from '../hubble/generated-flows.ts';
import { FlowPrinter, type Output } from './flow-printer.ts';

/** The real command: scripts/build-hubble-cli.ts builds it. */
const COMMAND = join(homedir(), '.cache/waggle/hubble-1.19.6/hubble');

describe.skipIf(!existsSync(COMMAND))('the real hubble command (skipped where it was not built)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waggle-printed-'));
  const file = join(folder, 'flows.json');
  const responses: GetFlowsResponse[] = [];

  beforeAll(() => {
    const window = generatedWindow(600, 21);
    for (let row = 0; row < window.length; row++) {
      const flow = flowMessage(window.columns, row, window);
      // The real one calls a drop for no reason "Success".
      if (flow.eventType?.type === 1 && flow.eventType.subType === 0) continue;
      const { nodeName, time } = flow;
      responses.push(create(GetFlowsResponseSchema, { nodeName, time, responseTypes: { case: 'flow', value: flow } }));
    }
    const line = (one: GetFlowsResponse) =>
      JSON.stringify(toJson(GetFlowsResponseSchema, one, { useProtoFieldName: true }));
    writeFileSync(file, responses.map((one) => `${line(one)}\n`).join(''));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const theirs = (...args: string[]) =>
    execFileSync(COMMAND, ['observe', '--input-file', file, ...args], { encoding: 'utf8', maxBuffer: 1e8 });
  const ours = (output: Output, more: Partial<ConstructorParameters<typeof FlowPrinter>[0]> = {}) => {
    const plain = {
      color: false,
      nodeName: false,
      policyNames: false,
      numeric: false,
      timeFormat: 'StampMilli',
    } as const;
    const printer = new FlowPrinter({ ...plain, output, ...more });
    return responses.map((response) => printer.print(response).out).join('') + printer.flush();
  };

  test('prints the same lines of whatever flows there are', () => {
    expect(responses.length).toBeGreaterThan(500);
    expect(ours('compact')).toBe(theirs('-o', 'compact'));
    expect(ours('dict')).toBe(theirs('-o', 'dict'));
    expect(ours('table')).toBe(theirs('-o', 'table'));
    expect(ours('compact', { nodeName: true, numeric: true, timeFormat: 'RFC3339Nano' })).toBe(
      theirs('--print-node-name', '--numeric', '--time-format', 'RFC3339Nano'),
    );
    const objects = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    expect(objects(ours('json'))).toEqual(objects(theirs('-o', 'json')));
  });
});
