import { objectName } from '#runtime/settings/parsers.ts';
import { setting } from '#runtime/settings/setting.ts';

/** Where Waggle itself is installed. */
export const namespaceSetting = setting<string>({
  flags: '-n, --namespace <name>',
  description: "Waggle's namespace in the cluster",
  parser: objectName,
  default: 'waggle',
  environment: 'WAGGLE_NAMESPACE',
});
