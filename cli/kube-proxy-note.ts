import { LoadBalancerService } from '#proto/gen/waggle/v1/service_pb.ts';
import { type ClientOptions, createClient } from '#runtime/grpc/client.ts';
import { untranslatedNote } from './untranslated-note.ts';

/** In no namespace's name: asks for what is known besides the Services. */
const NO_NAMESPACE = '-';

/**
 * Where kube-proxy's rules are still present, how to remove them and what that risks, and which sockets still rely on them; nothing
 * where there are none, or nobody knows.
 */
export async function kubeProxyNote(
  server: string,
  options: ClientOptions<typeof LoadBalancerService>,
): Promise<string[]> {
  const client = createClient(LoadBalancerService, server, options);
  try {
    const response = await client.listServices({ namespace: NO_NAMESPACE }, { deadlineMs: 5_000 });
    const { kubeProxy } = response;
    const sockets = untranslatedNote(response);
    const untranslated = sockets.length === 0 ? [] : ['', ...sockets];
    if (kubeProxy.length === 0) return untranslated;
    return [
      ...untranslated,
      '',
      ...kubeProxy.map(({ node, kind, rules }) => `${node}: ${rules} ${kind} rules of kube-proxy are present`),
      'Services work without them: stop kube-proxy for good, then run "kube-proxy --cleanup" on the node.',
      'Risk: what goes through them breaks: connections of clients outside, and sockets connected before Waggle came.',
    ];
  } catch {
    return []; // an agent without Services, or an older one: the status itself has been told
  } finally {
    client.close();
  }
}
