import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ApiAccess, ApiAccessError, type ApiCredentials } from './api-access.ts';

/** Where a pod finds its service account. */
const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

// The kubelet writes a new token long before the old one ends.
const REREAD_MS = 60_000;

/** Access by the service account of the pod this process runs in. Throws ApiAccessError where it runs in none. */
export async function inClusterAccess(
  environment: NodeJS.ProcessEnv = process.env,
  directory = SERVICE_ACCOUNT_DIRECTORY,
): Promise<ApiAccess> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (!host || !port) throw new ApiAccessError('this is no pod of Kubernetes: KUBERNETES_SERVICE_HOST is not set');
  const read = async (name: string) => {
    try {
      return (await readFile(join(directory, name), 'utf8')).trim();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new ApiAccessError(
        `${join(directory, name)} cannot be read (${code}): is automountServiceAccountToken off?`,
      );
    }
  };
  const load = async (): Promise<ApiCredentials> => ({
    authorities: await read('ca.crt'),
    token: await read('token'),
  });
  let credentials = await load();
  let readAt = performance.now();
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    namespace: await read('namespace'),
    insecure: false,
    origin: "the pod's service account",
    credentials: async (renew = false) => {
      if (renew || performance.now() - readAt > REREAD_MS) {
        credentials = await load();
        readAt = performance.now();
      }
      return credentials;
    },
  };
}
