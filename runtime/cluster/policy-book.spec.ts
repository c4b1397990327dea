import { expect, it } from 'vitest';
import type { PolicyObject } from './objects.ts';
import { PolicyBook } from './policy-book.ts';
import type { ClusterProblem } from './source.ts';

const metadata = { name: 'p', namespace: 'shop', uid: '', labels: {}, annotations: {}, ownerReferences: [] };

function object(spec: unknown): PolicyObject {
  const manifest = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec };
  return { kind: 'NetworkPolicy', metadata, manifest };
}

function sourceOf(objects: PolicyObject[], problems: ClusterProblem[] = []) {
  return {
    list: (kind: string) => objects.filter((entry) => entry.kind === kind) as never,
    problems: () => problems,
  };
}

const GOOD = { podSelector: {}, ingress: [{}] };
const BAD = { podSelector: {}, ingress: 7 };

it('a policy that becomes unreadable stays as it was; one that never was readable closes what it selects', () => {
  const book = new PolicyBook();
  const first = book.read(sourceOf([object(BAD)]));
  expect(first.problems).toEqual([expect.stringMatching(/^NetworkPolicy shop\/p: .*closed until it can be read$/)]);
  expect(first.policies[0]!.sections[0]!.ingress).toEqual({ defaultDeny: true, rules: [] });

  // What stands in is no good state: still unreadable, it still closes.
  expect(book.read(sourceOf([object({ ...BAD, egress: [{}] })])).entries[0]).toMatchObject({ closed: true });

  expect(book.read(sourceOf([object(GOOD)]))).toMatchObject({ problems: [], entries: [{ closed: false }] });
  const worse = book.read(sourceOf([object(BAD)]));
  expect(worse.problems[0]).toMatch(/its last good state is in force$/);
  expect(worse.policies[0]!.sections[0]!.ingress.rules).toHaveLength(1);
  // Twice over it still is.
  expect(book.read(sourceOf([object({ ...BAD })])).policies[0]!.sections[0]!.ingress.rules).toHaveLength(1);
});

it('a policy of which only the name can be read closes its namespace; the same answer until something changes', () => {
  const book = new PolicyBook();
  const problem: ClusterProblem = {
    subject: '/state/NetworkPolicy/shop/p.yaml',
    message: 'line 1, column 1: no YAML',
    object: { kind: 'NetworkPolicy', namespace: 'shop', name: 'p' },
  };
  const pod: ClusterProblem = { ...problem, object: { kind: 'Pod', namespace: 'shop', name: 'p' } };
  const read = book.read(sourceOf([], [problem, pod]));
  expect(read.policies).toHaveLength(1);
  expect(read.entries[0]).toMatchObject({ closed: true, findings: [{ code: 'WP001' }] });
  expect(book.read(sourceOf([], [problem, pod])).policies).toBe(read.policies);
  // What the source still has is what counts.
  expect(book.read(sourceOf([object(GOOD)], [problem])).entries).toMatchObject([{ closed: false }]);
  expect(book.read(sourceOf([], [])).policies).toEqual([]);
});

it('the last good state outlives its process', () => {
  const first = new PolicyBook();
  first.read(sourceOf([object(GOOD)]));
  expect(first.kept()).toEqual([]);
  first.read(sourceOf([object(BAD)]));
  const kept = JSON.parse(JSON.stringify(first.kept()));
  expect(kept).toMatchObject([{ kind: 'NetworkPolicy', namespace: 'shop', name: 'p' }]);

  const second = new PolicyBook(kept);
  const read = second.read(sourceOf([object(BAD)]));
  expect(read.entries).toMatchObject([
    { closed: false, problem: expect.stringMatching(/last good state is in force$/) },
  ]);
  expect(read.policies[0]!.sections[0]!.ingress.rules).toHaveLength(1);
  expect(second.kept()).toEqual(kept);
  // Of which only the name can be read, too; and what is gone is gone.
  const problem = {
    subject: 'f',
    message: 'no YAML',
    object: { kind: 'NetworkPolicy', namespace: 'shop', name: 'p' } as const,
  };
  expect(new PolicyBook(kept).read(sourceOf([], [problem])).entries).toMatchObject([{ closed: false }]);
  expect(new PolicyBook(kept).read(sourceOf([])).policies).toEqual([]);
  expect(second.read(sourceOf([object(GOOD)])).problems).toEqual([]);
  expect(second.kept()).toEqual([]);
  // What was kept is no policy any more: closed.
  const [entry] = kept;
  expect(new PolicyBook([{ ...entry, manifest: 7 }]).read(sourceOf([object(BAD)])).entries).toMatchObject([
    { closed: true },
  ]);
});
