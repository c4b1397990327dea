import type { UntranslatedSocket } from '#proto/gen/waggle/v1/service_pb.ts';

/** `shop/web-1 (node, 4711) from 10.0.1.7:41234 to shop/db (10.96.0.7:3306/TCP) on node1` */
export function untranslatedText(socket: UntranslatedSocket): string {
  const { node, namespace, service, address, port, protocol, clientNamespace, clientPod, process, command } = socket;
  const who = clientPod === '' ? 'A process of the node' : `${clientNamespace}/${clientPod}`;
  const holder = process === 0 ? '' : ` (${command}, ${process})`;
  const from = end(socket.clientAddress, socket.clientPort);
  return `${who}${holder} from ${from} to ${namespace}/${service} (${end(address, port)}/${protocol}) on ${node}`;
}

function end(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
