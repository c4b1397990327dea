import { DROP_REASON } from './drop-reason.ts';

/** What happened when a packet was dropped for a reason, and what to look at next: a sentence each, for people. */
export interface DropAdvice {
  readonly what: string;
  readonly next: string;
}

type ReasonName = keyof typeof DROP_REASON;

const DATAPATH =
  "This is a fault of the datapath or of its set-up: look at the agent's log on the node that dropped it.";
const MALFORMED =
  'Look at what the sender runs: ordinary network stacks do not send this; scanners and broken tunnels do.';
const MAP_FULL = 'Raise the size of that table on the node, or find out who opens so many connections.';
const TUNNEL =
  "Compare the tunnel settings of the two nodes, and the packets' size with what the network between them carries.";
const GATEWAY = "Look at the egress gateway's policy and whether its node is up.";
const ADDRESSES = "Look at whether the address is still anybody's: a pod that is gone, or a route that is missing.";

const ADVICE: Record<ReasonName, readonly [what: string, next: string]> = {
  UNKNOWN: ['Nobody told why it was dropped.', "Look at the agent's log on the node that dropped it."],
  INVALID_SOURCE_MAC: [
    "The sender's hardware address is not the one it was given.",
    'Look at whether the pod changes its own interface.',
  ],
  INVALID_DESTINATION_MAC: [
    "It was addressed to another hardware address than its receiver's.",
    "Look at the node's neighbour table for a stale entry.",
  ],
  INVALID_SOURCE_IP: [
    'The pod sent from an address that is not its own.',
    'Look at whether the pod forwards for others or forges addresses: a pod may send only from its own.',
  ],
  POLICY_DENIED: [
    'No policy allows it, and a policy that selects the endpoint makes everything else denied.',
    'If it is wanted, add a rule that allows this peer and port to one of the policies that select the endpoint.',
  ],
  INVALID_PACKET_DROPPED: ['The packet is malformed.', MALFORMED],
  CT_TRUNCATED_OR_INVALID_HEADER: ['Its transport header is cut off or makes no sense.', MALFORMED],
  // Numbers whose names are older than what they stand for now.
  CT_MISSING_TCP_ACK_FLAG: [
    'It is larger than the next link carries, and may not be split.',
    "Compare the MTU of pods and nodes, and look at whether the sender hears of it (ICMP 'fragmentation needed').",
  ],
  CT_UNKNOWN_L4_PROTOCOL: [
    'Connections of this transport protocol are not tracked.',
    "Use TCP, UDP, SCTP or ICMP, or let the traffic go around the cluster's network.",
  ],
  CT_CANNOT_CREATE_ENTRY_FROM_PACKET: [
    'No connection could be made of this packet.',
    'Look at whether the connection is in use in both directions through this node.',
  ],
  UNSUPPORTED_L3_PROTOCOL: [
    'It is neither IPv4 nor IPv6, or the cluster has that family switched off.',
    'Switch the family on for the cluster, or off for the program that uses it.',
  ],
  MISSED_TAIL_CALL: [
    "A part of the datapath's programs was not in place.",
    'It comes up while an agent is upgraded; if it lasts, restart the agent on that node.',
  ],
  ERROR_WRITING_TO_PACKET: ['The packet could not be rewritten.', DATAPATH],
  UNKNOWN_L4_PROTOCOL: [
    'Its transport protocol is not known.',
    "Use TCP, UDP, SCTP or ICMP, or let the traffic go around the cluster's network.",
  ],
  UNKNOWN_ICMPV4_CODE: ['An ICMP message has a code that is not known.', MALFORMED],
  UNKNOWN_ICMPV4_TYPE: ['An ICMP message is of a type that is not known.', MALFORMED],
  UNKNOWN_ICMPV6_CODE: ['An ICMPv6 message has a code that is not known.', MALFORMED],
  UNKNOWN_ICMPV6_TYPE: ['An ICMPv6 message is of a type that is not known.', MALFORMED],
  ERROR_RETRIEVING_TUNNEL_KEY: ['It came through a tunnel whose key could not be read.', TUNNEL],
  ERROR_RETRIEVING_TUNNEL_OPTIONS: ['It came through a tunnel whose options could not be read.', TUNNEL],
  INVALID_GENEVE_OPTION: ['It came through a tunnel with an option that makes no sense.', TUNNEL],
  UNKNOWN_L3_TARGET_ADDRESS: ['Nobody is known to have the address it is for.', ADDRESSES],
  STALE_OR_UNROUTABLE_IP: ['The address it is for belongs to nobody any more, or no Service owns it.', ADDRESSES],
  NO_MATCHING_LOCAL_CONTAINER_FOUND: ['No pod of this node has the address it is for.', ADDRESSES],
  ERROR_WHILE_CORRECTING_L3_CHECKSUM: ['Its IP checksum could not be mended after a rewrite.', DATAPATH],
  ERROR_WHILE_CORRECTING_L4_CHECKSUM: ['Its transport checksum could not be mended after a rewrite.', DATAPATH],
  CT_MAP_INSERTION_FAILED: ["The node's connection table took no further connection.", MAP_FULL],
  INVALID_IPV6_EXTENSION_HEADER: ['Its IPv6 extension headers make no sense or are too many.', MALFORMED],
  IP_FRAGMENTATION_NOT_SUPPORTED: [
    'It is a fragment, and fragments are not handled here.',
    'Let the sender use smaller packets: look at its MTU and at large UDP answers.',
  ],
  SERVICE_BACKEND_NOT_FOUND: [
    'The Service it is for has no ready backend.',
    "Look at whether the Service's selector matches pods and whether they are ready.",
  ],
  NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT: ['No tunnel leads to the node of its receiver.', TUNNEL],
  FAILED_TO_INSERT_INTO_PROXYMAP: [
    'It would have to be translated between IPv4 and IPv6, which is switched off.',
    'Switch NAT46/64 on, or give the Service backends of the family it is asked under.',
  ],
  REACHED_EDT_RATE_LIMITING_DROP_HORIZON: [
    'The pod sends faster than its bandwidth annotation allows.',
    "Raise the pod's kubernetes.io/egress-bandwidth, or let it send less.",
  ],
  UNKNOWN_CONNECTION_TRACKING_STATE: ['Its connection is in a state that makes no sense.', DATAPATH],
  LOCAL_HOST_IS_UNREACHABLE: [
    'The node itself could not be reached from here.',
    "Look at the node's routes and whether its agent runs.",
  ],
  NO_CONFIGURATION_AVAILABLE_TO_PERFORM_POLICY_DECISION: [
    "The endpoint's policy was not there yet.",
    "It comes up while a pod starts; if it lasts, look at the agent's health on that node.",
  ],
  UNSUPPORTED_L2_PROTOCOL: [
    'It is not an Ethernet packet that carries IP.',
    "Let the program use IP, or go around the cluster's network.",
  ],
  NO_MAPPING_FOR_NAT_MASQUERADE: [
    'No address translation is left for it: every port is in use, or its mapping is gone.',
    'Find out who opens so many connections out of the cluster, or give the node more addresses.',
  ],
  UNSUPPORTED_PROTOCOL_FOR_NAT_MASQUERADE: [
    'Addresses of this protocol cannot be translated on the way out.',
    "Use TCP, UDP or ICMP towards the world, or route the pod's own address.",
  ],
  FIB_LOOKUP_FAILED: ['The node has no route for it.', "Look at the node's routing table for the address it is for."],
  ENCAPSULATION_TRAFFIC_IS_PROHIBITED: [
    'A pod sent tunnel packets itself, which is not allowed.',
    "Look at what the pod runs: only nodes may use the cluster's tunnel port.",
  ],
  INVALID_IDENTITY: [
    'The identity it came with is not known.',
    "It comes up while identities spread; if it lasts, compare the agents' health on the two nodes.",
  ],
  UNKNOWN_SENDER: ['Nobody is known to have the address it came from.', ADDRESSES],
  NAT_NOT_NEEDED: ['Its address did not need to be translated.', DATAPATH],
  IS_A_CLUSTERIP: [
    'It came from outside for an address that only works inside the cluster.',
    "Use the Service's NodePort, LoadBalancer or ingress from outside.",
  ],
  FIRST_LOGICAL_DATAGRAM_FRAGMENT_NOT_FOUND: [
    'A later fragment came before its first one, so its ports are not known.',
    'Let the sender use smaller packets; if it goes on, raise the size of the fragment table.',
  ],
  FORBIDDEN_ICMPV6_MESSAGE: [
    'This ICMPv6 message is not let through.',
    'Look at who sends it: neighbour and router messages stay on their own link.',
  ],
  DENIED_BY_LB_SRC_RANGE_CHECK: [
    'The Service admits only certain source ranges, and the sender is in none of them.',
    "Add the sender's range to the Service's loadBalancerSourceRanges if it is wanted.",
  ],
  SOCKET_LOOKUP_FAILED: ['The socket it belongs to was not found.', DATAPATH],
  SOCKET_ASSIGN_FAILED: ['It could not be handed to its socket.', DATAPATH],
  PROXY_REDIRECTION_NOT_SUPPORTED_FOR_PROTOCOL: [
    'A rule sends it through a proxy, which cannot speak this protocol.',
    'Take the L7 part out of that rule, or use it for TCP only.',
  ],
  POLICY_DENY: [
    'A rule of a policy denies it by name, which wins over every rule that allows it.',
    'If it is wanted, take it out of that deny rule: allowing it elsewhere does not help.',
  ],
  VLAN_FILTERED: [
    'It carries a VLAN tag that is not let through.',
    'Add the VLAN to those the agent lets through, or take the tag away.',
  ],
  INVALID_VNI: ['It came through a tunnel with a network number that is not in use.', TUNNEL],
  INVALID_TC_BUFFER: ['The kernel handed over a packet buffer that could not be used.', DATAPATH],
  NO_SID: ['No segment is known for its route (SRv6).', 'Look at the SRv6 policy and the segments it names.'],
  MISSING_SRV6_STATE: ['The state of its segment route is gone (SRv6).', DATAPATH],
  NAT46: [
    'It could not be translated from IPv4 to IPv6.',
    'Give the Service backends of the family it is asked under.',
  ],
  NAT64: [
    'It could not be translated from IPv6 to IPv4.',
    'Give the Service backends of the family it is asked under.',
  ],
  AUTH_REQUIRED: [
    'A policy asks for mutual authentication, which the two have not done yet.',
    'The first packets wait for it; if it lasts, look at the authentication agent and its certificates.',
  ],
  CT_NO_MAP_FOUND: ['The node has no connection table for this endpoint.', DATAPATH],
  SNAT_NO_MAP_FOUND: ['The node has no translation table for this endpoint.', DATAPATH],
  INVALID_CLUSTER_ID: [
    'It came from a cluster whose number is not known.',
    'Compare the cluster numbers of the connected clusters: each has to be unique.',
  ],
  UNSUPPORTED_PROTOCOL_FOR_DSR_ENCAP: [
    "Its protocol cannot be answered directly by the backend's node.",
    'Use TCP or UDP for the Service, or another load-balancing mode.',
  ],
  NO_EGRESS_GATEWAY: ['A policy sends it through an egress gateway, and none was found.', GATEWAY],
  UNENCRYPTED_TRAFFIC: [
    'Traffic between these nodes has to be encrypted, and this was not.',
    'Compare the encryption settings and keys of the two nodes.',
  ],
  TTL_EXCEEDED: ['It has passed more hops than it was allowed to.', 'Look for a routing loop between the nodes.'],
  NO_NODE_ID: [
    'The node of its receiver is not known yet.',
    "It comes up while a node joins; if it lasts, look at that node's agent.",
  ],
  DROP_RATE_LIMITED: [
    'More of this came than is let through per second.',
    'Find out who sends so much of it; the limit protects the node.',
  ],
  IGMP_HANDLED: [
    'A multicast membership message was taken in and needs to go no further.',
    'Nothing is wrong: it did its work.',
  ],
  IGMP_SUBSCRIBED: [
    'A pod joined a multicast group; the message needs to go no further.',
    'Nothing is wrong: it did its work.',
  ],
  MULTICAST_HANDLED: [
    'A multicast packet was copied to its subscribers; the original ends here.',
    'Nothing is wrong: the copies went on.',
  ],
  DROP_HOST_NOT_READY: [
    "The node's own datapath was not ready yet.",
    "It comes up while a node starts; if it lasts, look at the agent's log there.",
  ],
  DROP_EP_NOT_READY: [
    "The pod's datapath was not ready yet.",
    "It comes up while a pod starts; if it lasts, look at the agent's log on its node.",
  ],
  DROP_NO_EGRESS_IP: ['The egress gateway has no address to send from.', GATEWAY],
  DROP_PUNT_PROXY: [
    'It was handed to the proxy, which sends it on by itself.',
    'Nothing is wrong: look at what the proxy says of the request.',
  ],
  HTTP_DENIED_BY_PROXY: [
    'A proxy has read the HTTP request, and no HTTP rule of the policies that sent it there allows it.',
    "Compare the request's method, path and headers with those rules, and add one if it is wanted.",
  ],
  DNS_DENIED_BY_PROXY: [
    'A proxy has read the DNS query, and no DNS rule of the policies that sent it there allows the name.',
    "Compare the name with those rules' names and patterns, and add it if it is wanted.",
  ],
  KAFKA_DENIED_BY_PROXY: [
    'A proxy has read the Kafka request, and no Kafka rule of the policies that sent it there allows it.',
    "Compare the request's key and topic with those rules, and add one if it is wanted.",
  ],
  REQUEST_DENIED_BY_PROXY: [
    'A proxy has read the request, and no rule of the policies that sent it there allows it.',
    'Look at the rules for layer 7 of these policies, and add one if the request is wanted.',
  ],
};

const BY_NUMBER = new Map<number, DropAdvice>(
  Object.entries(ADVICE).map(([name, [what, next]]) => [DROP_REASON[name as ReasonName], { what, next }]),
);

/** For a drop reason by Hubble's number; one that is not known is told as such. */
export function dropAdvice(reason: number): DropAdvice {
  return BY_NUMBER.get(reason) ?? BY_NUMBER.get(DROP_REASON.UNKNOWN)!;
}
