import { WORLD_NAME, workloadKey } from './card-name.ts';

/** The token that asks for flows of this card; with a side, for those it sends or gets. Undefined where none can say it. */
export function cardToken(key: string, side: 'any' | 'from' | 'to' = 'any'): string | undefined {
  const condition = conditionOf(workloadKey(key));
  return condition === undefined ? undefined : `${side === 'any' ? '' : `${side}:`}${condition}`;
}

/** Keys are `cluster/namespace/kind/name`, where the name of a range holds a slash of its own. */
function conditionOf(key: string): string | undefined {
  const [, namespace = '', kind = '', ...rest] = key.split('/');
  const name = rest.join('/');
  if (name === '' || name.includes(',')) return undefined;
  switch (kind) {
    case 'World':
      if (key === WORLD_NAME.key) return 'identity=world';
      if (/^[0-9a-f.:]+\/\d+$/i.test(name)) return `ip=${name}`;
      return /^[A-Za-z0-9._*-]+\.[A-Za-z0-9._*-]+$/.test(name) ? `dns=${name}` : undefined;
    case 'Host':
    case 'RemoteNode':
    case 'Unknown':
      return `identity=${name}`;
    case 'Pod':
      return `pod=${namespace}/${name}`;
    default:
      return `workload=${namespace}/${kind}/${name}`;
  }
}
