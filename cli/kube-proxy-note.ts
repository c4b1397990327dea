import { LoadBalancerService } from '#proto/gen/waggle/v1/service_pb.ts';
import { type ClientOptions, createClient } from '#runtime/grpc/client.ts';

/** In no namespace's name: asks for what is known besides the Services. */
const NO_NAMESPACE = '-';

/** Where kube-proxy's rules are still present, how to remove them and what that risks; nothing where they are not, or nobody knows. */
export async function kubeProxyNote(
  server: string,
  options: ClientOptions<typeof LoadBalancerService>,
): Promise<string[]> {
  const client = createClient(LoadBalancerService, server, options);
  try {
    const { kubeProxy } = await client.listServices({ namespace: NO_NAMESPACE }, { deadlineMs: 5_000 });
    if (kubeProxy.length === 0) return [];
    return [
      '',
      ...kubeProxy.map(({ node, kind, rules }) => `${node}: ${rules} ${kind} rules of kube-proxy are present`),
      'Services work without them: stop kube-proxy for good, then run "kube-proxy --cleanup" on the node.',
      'Risk: clients outside the cluster lose node ports, and sockets connected before Waggle came lose their Service.',
    ];
  } catch {
    return []; // an agent without Services, or an older one: the status itself has been told
  } finally {
    client.close();
  }
}
