import { expect, test } from 'vitest';
import { ObjectReducer } from './reduce-object.ts';

test('an item of a list, which does not say what it is, is as the same object from a watch', () => {
  const reducer = new ObjectReducer({ statuses: true });
  const item = {
    metadata: { name: 'closed', namespace: 'shop', uid: 'u', managedFields: [] },
    spec: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] },
  };
  const told = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' };
  const listed = reducer.reduce('NetworkPolicy', item, undefined);
  expect(listed).toMatchObject({ kind: 'NetworkPolicy', manifest: told });
  expect(reducer.reduce('NetworkPolicy', { ...told, ...item }, listed)).toBe(listed);
});
