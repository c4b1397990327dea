import { fromBinary } from '@bufbuild/protobuf';
import { afterEach, expect, it } from 'vitest';
import { FlowBatchSchema, FlowService } from '#proto/gen/waggle/v1/flow_pb.ts';
import { ViewService, ViewUpdateSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { TO_ENDPOINT, WORLD } from '#runtime/testing/sample-flows.ts';
import { closeGuarded, marked, openGuarded, reference } from '../testing/guarded-answers.ts';

afterEach(closeGuarded);

it('shows flows with one end in an allowed namespace, and no others', async () => {
  const [web, db, vault] = [marked('shop', 0), marked('data', 0), marked('vault', 0)];
  const { call } = await openGuarded(
    [
      { source: web, destination: db },
      { source: db, destination: vault },
      { source: vault, destination: web, ...TO_ENDPOINT },
      { source: web, destination: WORLD },
    ],
    new Set(['shop']),
    { hiddenEnd: 'namespace' },
  );
  const batches = [];
  for await (const bytes of call(`${FlowService.typeName}/Follow`, { last: 100 }))
    batches.push(fromBinary(FlowBatchSchema, bytes));
  expect(batches.reduce((sum, { rows }) => sum + rows, 0)).toBe(3);
  const ends = batches.flatMap(({ endpoints }) => endpoints.map((e) => `${e.namespace}/${e.workload?.name ?? ''}`));
  expect(ends.sort()).toEqual(['/', 'data/hidden', 'shop/wqshopq0q', 'vault/hidden']);
});

it('names no policy of another cluster, whatever its namespace is called', async () => {
  const decision = {
    ...{ direction: 1, defaultDeny: true, auditDefaultDeny: false },
    ...{ allowedBy: [reference('shop')], deniedBy: [], auditDeniedBy: [] },
  };
  const there = { ...marked('shop', 9, 'z'), cluster: 'other' };
  const flow = { source: marked('shop', 0), destination: there, ...TO_ENDPOINT, decision };
  const told = async (cluster: string) => {
    const boot = { cluster, node: 'node-9', bootId: 1n };
    const { call } = await openGuarded([{ ...flow, boot }], new Set(['shop']));
    const batches = [];
    for await (const bytes of call(`${FlowService.typeName}/Follow`, { last: 100 }))
      batches.push(fromBinary(FlowBatchSchema, bytes));
    return batches.flatMap(({ decisions }) => decisions.map(({ allowedBy }) => allowedBy.map(({ name }) => name)));
  };
  expect(await told('test')).toEqual([['polqshopq9q']]);
  expect(await told('other')).toEqual([[]]);
});

it('resumes after what a reader had, and takes flows it may not see for no loss', async () => {
  const { call, send } = await openGuarded([], new Set(['shop']));
  const hidden = { source: marked('data', 0), destination: marked('vault', 0) };
  const seen = { source: marked('shop', 0), destination: WORLD };
  send([seen, hidden, hidden, seen]);
  /** What comes until there are so many rows, and for a moment after that. */
  const read = async (request: object, rows: number) => {
    const abort = new AbortController();
    const updates = [];
    let missing = rows;
    let timer: NodeJS.Timeout | undefined;
    for await (const bytes of call(`${ViewService.typeName}/Watch`, request, abort.signal)) {
      const update = fromBinary(ViewUpdateSchema, bytes);
      updates.push(update);
      missing -= update.flows?.rows ?? 0;
      if (missing <= 0) timer ??= setTimeout(() => abort.abort(), 300);
    }
    clearTimeout(timer);
    const flows = updates.flatMap((update) => update.flows ?? []);
    return {
      rows: flows.reduce((sum, { rows }) => sum + rows, 0),
      losses: flows.flatMap(({ losses }) => losses),
      cursor: flows.at(-1)?.cursor,
    };
  };
  const first = await read({ flows: true, last: 100 }, 2);
  expect([first.rows, first.losses]).toEqual([2, []]);
  send([hidden, hidden, seen, hidden]);
  const again = await read({ flows: true, cursor: first.cursor }, 1);
  expect([again.rows, again.losses]).toEqual([1, []]);
});
