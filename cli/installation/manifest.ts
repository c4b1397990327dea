import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from './kubernetes-object.ts';

const MANIFEST = new URL('../../deploy/waggle.yaml', import.meta.url);
/** The namespace that deploy/waggle.yaml is made for. */
const MADE_FOR = 'waggle';

export interface InstallChoices {
  readonly namespace: string;
  readonly clusterName?: string;
  readonly policyAudit: boolean;
}

/** deploy/waggle.yaml as it is asked for. Whatever else is to be different is the Helm chart's business. */
export function manifestObjects({ namespace, clusterName, policyAudit }: InstallChoices): KubernetesObject[] {
  const text = readFileSync(MANIFEST, 'utf8');
  const objects = parseAllDocuments(text)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
  return objects.map((object) => {
    const moved = JSON.parse(
      JSON.stringify(object)
        .replaceAll(`.${MADE_FOR}.waggle.internal`, `.${namespace}.waggle.internal`)
        .replaceAll(`"namespace":"${MADE_FOR}"`, `"namespace":${JSON.stringify(namespace)}`),
    ) as KubernetesObject;
    if (moved.kind === 'Namespace') return { ...moved, metadata: { ...moved.metadata, name: namespace } };
    if (moved.kind !== 'DaemonSet') return moved;
    const [agent] = (moved.spec as { template: { spec: { containers: { args: string[] }[] } } }).template.spec
      .containers;
    agent!.args = [
      ...agent!.args.map((word) =>
        word.startsWith('--cluster-name=') && clusterName ? `--cluster-name=${clusterName}` : word,
      ),
      ...(policyAudit ? ['--policy-audit'] : []),
    ];
    return moved;
  });
}
