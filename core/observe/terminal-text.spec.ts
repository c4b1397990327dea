import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { FlowSchema } from '#proto/gen/flow/flow_pb.ts';
import { GetFlowsResponseSchema } from '#proto/gen/observer/observer_pb.ts';
import { FlowPrinter, OUTPUTS } from './flow-printer.ts';
import { terminalJson, terminalText } from './terminal-text.ts';
import { TopTalkers } from './top-talkers.ts';

const NASTY = '\u001b[31mred\u0007\r\n\u009b31m\u202eback\u007f';

test('controls are shown and not obeyed', () => {
  expect(terminalText(NASTY)).toBe('^[[31mred\\u0007\\r\\n\\u009b31m\\u202eback\\u007f');
  expect(terminalText('shop/cart-ü-カート:80')).toBe('shop/cart-ü-カート:80');
  expect(JSON.parse(terminalJson(JSON.stringify({ [NASTY]: NASTY })))).toEqual({ [NASTY]: NASTY });
});

test('no output obeys what a flow is called', () => {
  const flow = create(FlowSchema, {
    IP: { source: NASTY, destination: '10.0.0.2' },
    source: { podName: NASTY, namespace: NASTY },
    destinationNames: [NASTY],
    l7: { type: 1, record: { case: 'dns', value: { observationSource: NASTY } } },
    verdict: 2,
    egressDeniedBy: [{ name: NASTY, namespace: NASTY }],
    nodeName: NASTY,
    Summary: NASTY,
  });
  const responses = [
    create(GetFlowsResponseSchema, { responseTypes: { case: 'flow', value: flow } }),
    create(GetFlowsResponseSchema, {
      nodeName: NASTY,
      responseTypes: { case: 'nodeStatus', value: { stateChange: 4, nodeNames: [NASTY], message: NASTY } },
    }),
    create(GetFlowsResponseSchema, { nodeName: NASTY, responseTypes: { case: 'lostEvents', value: { source: 1 } } }),
  ];
  for (const output of OUTPUTS) {
    for (const numeric of [false, true]) {
      const printer = new FlowPrinter({ output, color: false, nodeName: true, policyNames: true, numeric });
      const printed = responses.map((response) => printer.print(response));
      const text = printed.map(({ out, err }) => out + err).join('') + printer.flush();
      expect(text).toContain('red');
      // What is left of controls are the ends of our own lines.
      expect(text.replaceAll('\n', ''), output).toBe(terminalText(text.replaceAll('\n', '')));
      if (output === 'compact') expect(text.split('\n')).toHaveLength(4);
    }
  }
  const talkers = new TopTalkers();
  talkers.add(flow);
  expect(talkers.text()).toContain('^[[31mred');
});

test('private extensions of a flow, which nobody can read, are left out', () => {
  const value = create(FlowSchema, {
    extensions: { typeUrl: 'type.googleapis.com/some.Body', value: Uint8Array.of(10, 1, 65) },
    uuid: 'x',
  });
  const response = create(GetFlowsResponseSchema, { responseTypes: { case: 'flow', value } });
  const printer = new FlowPrinter({
    output: 'json',
    color: false,
    nodeName: false,
    policyNames: false,
    numeric: false,
  });
  expect(printer.print(response).out).toBe('{"flow":{"uuid":"x"}}\n');
});
