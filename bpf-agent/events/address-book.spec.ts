import { describe, expect, it } from 'vitest';
import type { AddressOwner } from '../sync/desired-state.ts';
import { samplePod } from '../testing/sample-pod.ts';
import { AddressBook } from './address-book.ts';

function pod(name: string, identity: number, more: { id?: number; labels?: string[] } = {}): AddressOwner {
  const app = name.split('-')[0]!;
  const { labels = [`k8s:app=${app}`] } = more;
  const description = samplePod(name, { identity, workload: { kind: 'Deployment', name: app }, labels });
  if (more.id === undefined) return { kind: 'pod', pod: description };
  return {
    kind: 'pod',
    pod: description,
    endpoint: { id: more.id, pod: description, interface: { index: 9, name: 'veth9' } },
  };
}

const WEB = 0x4000_0001;
const DB = 0x4000_0002;

describe('address book', () => {
  it('tells all that is known of a pod', () => {
    const book = new AddressBook('lab');
    book.update(new Map([['10.0.0.1', pod('web-1', WEB, { id: 4 })]]));
    expect(book.lookup('10.0.0.1', WEB)).toEqual({
      address: '10.0.0.1',
      identity: WEB,
      cluster: 'lab',
      namespace: 'shop',
      pod: 'web-1',
      workloadKind: 'Deployment',
      workloadName: 'web',
      labels: ['k8s:app=web'],
      names: [],
      node: 'n1',
      interfaceIndex: 9,
      interfaceName: 'veth9',
      id: 4,
    });
  });

  it('knows nodes and the world by their reserved labels', () => {
    const book = new AddressBook('lab');
    book.update(new Map([['192.0.2.2', { kind: 'node', node: 'n2', identity: 6 }]]));
    expect(book.lookup('192.0.2.2', 6)).toMatchObject({ node: 'n2', labels: ['reserved:remote-node'], cluster: 'lab' });
    expect(book.lookup('198.51.100.1', 2)).toMatchObject({ labels: ['reserved:world'], cluster: '', namespace: '' });
    expect(book.lookup('198.51.100.1', 0).labels).toEqual([]);
  });

  it('takes a pod whose packet passed just before the kernel knew it for itself', () => {
    const book = new AddressBook('lab');
    book.update(new Map([['10.0.0.1', pod('web-1', WEB)]]));
    expect(book.lookup('10.0.0.1', 3)).toMatchObject({ pod: 'web-1', identity: WEB });
  });

  it('remembers a pod that is gone for at least a minute', () => {
    const book = new AddressBook('lab');
    book.update(new Map([['10.0.0.1', pod('web-1', WEB)]]), 0);
    book.update(new Map(), 1_000);
    book.expire(61_000);
    expect(book.lookup('10.0.0.1', WEB).pod).toBe('web-1');
    expect(book.lookup('10.0.0.1', 3).pod).toBe('web-1');
    expect(book.knows('10.0.0.1')).toBe(true);
    const revision = book.revision;
    book.expire(200_000);
    expect(book.lookup('10.0.0.1', WEB).pod).toBe('');
    expect(book.knows('10.0.0.1')).toBe(false);
    expect(book.revision).toBeGreaterThan(revision);
  });

  it('tells the old owner of an address from the new one by identity', () => {
    const book = new AddressBook('lab');
    book.update(new Map([['10.0.0.1', pod('web-1', WEB)]]));
    book.update(new Map([['10.0.0.1', pod('db-1', DB)]]));
    expect(book.lookup('10.0.0.1', WEB).pod).toBe('web-1');
    expect(book.lookup('10.0.0.1', DB).pod).toBe('db-1');
    expect(book.lookup('10.0.0.1', 3).pod).toBe('db-1');
  });

  it('knows the namespace and labels of an identity at an unknown address', () => {
    const book = new AddressBook('lab');
    book.update(new Map([['10.0.0.1', pod('web-1', WEB)]]));
    expect(book.lookup('10.0.0.99', WEB)).toMatchObject({ pod: '', namespace: 'shop', labels: ['k8s:app=web'] });
  });

  it('changes its revision only when an answer changes', () => {
    const book = new AddressBook('lab');
    const owners = () => new Map([['10.0.0.1', pod('web-1', WEB, { id: 4 })]]);
    book.update(owners());
    const { revision } = book;
    book.update(owners());
    expect(book.revision).toBe(revision);
    book.update(new Map([['10.0.0.1', pod('web-1', WEB, { id: 4, labels: ['k8s:app=web', 'k8s:v=2'] })]]));
    expect(book.revision).toBeGreaterThan(revision);
  });
});
