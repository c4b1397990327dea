import { createHash, randomBytes } from 'node:crypto';
import { newMetadata } from '../store/object-store.ts';
import { type KubeObject, ownedBy, type Pod, type PodTemplate } from '../store/objects.ts';

/** Kubernetes' alphabet for generated names: no vowels, so no words by accident, and nothing easily misread. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

export function randomSuffix(length = 5): string {
  return Array.from(randomBytes(length), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

/** A short name for a template's content: equal templates, whatever the order of their fields, have equal hashes. */
export function templateHash(template: PodTemplate): string {
  const digest = createHash('sha256').update(canonical(template)).digest();
  return Array.from(digest.subarray(0, 10), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join()}}`;
}

/** A pod of a workload, not yet in the store. */
export function podFromTemplate(
  owner: KubeObject,
  template: PodTemplate,
  extra: { labels?: Record<string, string>; nodeName?: string } = {},
): Pod {
  const { name, namespace } = owner.metadata;
  const annotations = template.metadata?.annotations;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: newMetadata({
      name: `${name}-${randomSuffix()}`,
      generateName: `${name}-`,
      namespace,
      labels: { ...template.metadata?.labels, ...extra.labels },
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [ownedBy(owner)],
    }),
    spec: {
      ...structuredClone(template.spec),
      restartPolicy: template.spec.restartPolicy ?? 'Always',
      serviceAccountName: template.spec.serviceAccountName ?? 'default',
      ...(extra.nodeName === undefined ? {} : { nodeName: extra.nodeName }),
    },
    status: { phase: 'Pending' },
  };
}
