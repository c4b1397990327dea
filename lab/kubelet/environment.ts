import type { Container, Pod } from '../store/objects.ts';
import { CONTAINER_PATH } from './tool.ts';

/**
 * A container's environment: the runtime's own variables, then those of its spec, each seeing those before it.
 * @param cluster what every container of the cluster has
 */
export function containerEnv(
  pod: Pod,
  container: Container,
  cluster: Record<string, string> = {},
): Record<string, string> {
  const env: Record<string, string> = { PATH: CONTAINER_PATH, HOME: '/root', HOSTNAME: podHostname(pod), ...cluster };
  for (const { name, value, valueFrom } of container.env ?? []) {
    const field = valueFrom?.fieldRef?.fieldPath;
    env[name] = field === undefined ? expand(value ?? '', env) : podField(pod, field);
  }
  return env;
}

/** A container's command line: command and args with $(VARIABLES) in place. */
export function containerCommand(container: Container, env: Record<string, string>): string[] {
  return [...(container.command ?? []), ...(container.args ?? [])].map((word) => expand(word, env));
}

export function podHostname(pod: Pod): string {
  return pod.spec.hostname ?? pod.metadata.name.slice(0, 63);
}

/** Puts values in the place of $(NAME), as Kubernetes does: unknown names stay as they are, $$(NAME) means $(NAME). */
export function expand(text: string, env: Record<string, string>): string {
  return text.replace(/\$\$|\$\(([^()]*)\)/g, (whole, name: string | undefined) => {
    if (name === undefined) return '$';
    return Object.hasOwn(env, name) ? env[name]! : whole;
  });
}

function podField(pod: Pod, path: string): string {
  const { metadata, spec, status } = pod;
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid;
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.podIP':
      return status.podIP ?? '';
    case 'status.podIPs':
      return (status.podIPs ?? []).map(({ ip }) => ip).join();
    case 'status.hostIP':
      return status.hostIP ?? '';
  }
  const [, map, key] = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(path) ?? [];
  return metadata[map as 'labels' | 'annotations']?.[key ?? ''] ?? '';
}
