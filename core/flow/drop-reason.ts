import { vocabulary } from '../vocabulary/vocabulary.ts';

/**
 * Why a packet was dropped: one number space for the datapath, the wire and the page. Numbers and names as in Hubble's
 * `flow.DropReason`; retired numbers stay. Those from 250 are ours: see `toldDropReason`.
 */
export const DROP_REASON = {
  UNKNOWN: 0,
  INVALID_SOURCE_MAC: 130,
  INVALID_DESTINATION_MAC: 131,
  INVALID_SOURCE_IP: 132,
  POLICY_DENIED: 133,
  INVALID_PACKET_DROPPED: 134,
  CT_TRUNCATED_OR_INVALID_HEADER: 135,
  CT_MISSING_TCP_ACK_FLAG: 136,
  CT_UNKNOWN_L4_PROTOCOL: 137,
  CT_CANNOT_CREATE_ENTRY_FROM_PACKET: 138,
  UNSUPPORTED_L3_PROTOCOL: 139,
  MISSED_TAIL_CALL: 140,
  ERROR_WRITING_TO_PACKET: 141,
  UNKNOWN_L4_PROTOCOL: 142,
  UNKNOWN_ICMPV4_CODE: 143,
  UNKNOWN_ICMPV4_TYPE: 144,
  UNKNOWN_ICMPV6_CODE: 145,
  UNKNOWN_ICMPV6_TYPE: 146,
  ERROR_RETRIEVING_TUNNEL_KEY: 147,
  ERROR_RETRIEVING_TUNNEL_OPTIONS: 148,
  INVALID_GENEVE_OPTION: 149,
  UNKNOWN_L3_TARGET_ADDRESS: 150,
  STALE_OR_UNROUTABLE_IP: 151,
  NO_MATCHING_LOCAL_CONTAINER_FOUND: 152,
  ERROR_WHILE_CORRECTING_L3_CHECKSUM: 153,
  ERROR_WHILE_CORRECTING_L4_CHECKSUM: 154,
  CT_MAP_INSERTION_FAILED: 155,
  INVALID_IPV6_EXTENSION_HEADER: 156,
  IP_FRAGMENTATION_NOT_SUPPORTED: 157,
  SERVICE_BACKEND_NOT_FOUND: 158,
  NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT: 160,
  FAILED_TO_INSERT_INTO_PROXYMAP: 161,
  REACHED_EDT_RATE_LIMITING_DROP_HORIZON: 162,
  UNKNOWN_CONNECTION_TRACKING_STATE: 163,
  LOCAL_HOST_IS_UNREACHABLE: 164,
  NO_CONFIGURATION_AVAILABLE_TO_PERFORM_POLICY_DECISION: 165,
  UNSUPPORTED_L2_PROTOCOL: 166,
  NO_MAPPING_FOR_NAT_MASQUERADE: 167,
  UNSUPPORTED_PROTOCOL_FOR_NAT_MASQUERADE: 168,
  FIB_LOOKUP_FAILED: 169,
  ENCAPSULATION_TRAFFIC_IS_PROHIBITED: 170,
  INVALID_IDENTITY: 171,
  UNKNOWN_SENDER: 172,
  NAT_NOT_NEEDED: 173,
  IS_A_CLUSTERIP: 174,
  FIRST_LOGICAL_DATAGRAM_FRAGMENT_NOT_FOUND: 175,
  FORBIDDEN_ICMPV6_MESSAGE: 176,
  DENIED_BY_LB_SRC_RANGE_CHECK: 177,
  SOCKET_LOOKUP_FAILED: 178,
  SOCKET_ASSIGN_FAILED: 179,
  PROXY_REDIRECTION_NOT_SUPPORTED_FOR_PROTOCOL: 180,
  POLICY_DENY: 181,
  VLAN_FILTERED: 182,
  INVALID_VNI: 183,
  INVALID_TC_BUFFER: 184,
  NO_SID: 185,
  MISSING_SRV6_STATE: 186,
  NAT46: 187,
  NAT64: 188,
  AUTH_REQUIRED: 189,
  CT_NO_MAP_FOUND: 190,
  SNAT_NO_MAP_FOUND: 191,
  INVALID_CLUSTER_ID: 192,
  UNSUPPORTED_PROTOCOL_FOR_DSR_ENCAP: 193,
  NO_EGRESS_GATEWAY: 194,
  UNENCRYPTED_TRAFFIC: 195,
  TTL_EXCEEDED: 196,
  NO_NODE_ID: 197,
  DROP_RATE_LIMITED: 198,
  IGMP_HANDLED: 199,
  IGMP_SUBSCRIBED: 200,
  MULTICAST_HANDLED: 201,
  DROP_HOST_NOT_READY: 202,
  DROP_EP_NOT_READY: 203,
  DROP_NO_EGRESS_IP: 204,
  DROP_PUNT_PROXY: 205,
  /** A proxy has read a request and refused it, for which Hubble has no reason. */
  HTTP_DENIED_BY_PROXY: 250,
  DNS_DENIED_BY_PROXY: 251,
  KAFKA_DENIED_BY_PROXY: 252,
  REQUEST_DENIED_BY_PROXY: 253,
} as const;

export const dropReasons = vocabulary('drop reason', DROP_REASON);

/** What Hubble calls a reason; 0 for what it has no name for. */
export function toldDropReason(reason: number): number {
  return reason >= DROP_REASON.HTTP_DENIED_BY_PROXY ? DROP_REASON.UNKNOWN : reason;
}

/** Why a proxy refused a request, by the kind of its record. */
export function proxyDropReason(kind: 'http' | 'dns' | 'kafka' | undefined): number {
  if (kind === 'http') return DROP_REASON.HTTP_DENIED_BY_PROXY;
  if (kind === 'dns') return DROP_REASON.DNS_DENIED_BY_PROXY;
  return kind === 'kafka' ? DROP_REASON.KAFKA_DENIED_BY_PROXY : DROP_REASON.REQUEST_DENIED_BY_PROXY;
}

const ACRONYMS = new Set([
  'IP',
  'HTTP',
  'DNS',
  'MAC',
  'CT',
  'TCP',
  'L2',
  'L3',
  'L4',
  'ICMPV4',
  'ICMPV6',
  'NAT',
  'FIB',
  'LB',
  'TTL',
  'VLAN',
  'VNI',
  'TC',
]);

/** Where Hubble's words are others than those of the name: people alert on them. */
const WORDS: Readonly<Record<number, string>> = {
  [DROP_REASON.INVALID_SOURCE_MAC]: 'Invalid source mac',
  [DROP_REASON.INVALID_DESTINATION_MAC]: 'Invalid destination mac',
  [DROP_REASON.INVALID_SOURCE_IP]: 'Invalid source ip',
  [DROP_REASON.INVALID_PACKET_DROPPED]: 'Invalid packet',
  [DROP_REASON.CT_TRUNCATED_OR_INVALID_HEADER]: 'CT: Truncated or invalid header',
  [DROP_REASON.CT_MISSING_TCP_ACK_FLAG]: 'Fragmentation needed',
  [DROP_REASON.CT_UNKNOWN_L4_PROTOCOL]: 'CT: Unknown L4 protocol',
  [DROP_REASON.CT_CANNOT_CREATE_ENTRY_FROM_PACKET]: "CT: Can't create entry from packet",
  [DROP_REASON.UNKNOWN_ICMPV4_CODE]: 'Unknown ICMPv4 code',
  [DROP_REASON.UNKNOWN_ICMPV4_TYPE]: 'Unknown ICMPv4 type',
  [DROP_REASON.UNKNOWN_ICMPV6_CODE]: 'Unknown ICMPv6 code',
  [DROP_REASON.UNKNOWN_ICMPV6_TYPE]: 'Unknown ICMPv6 type',
  [DROP_REASON.INVALID_GENEVE_OPTION]: 'Invalid Geneve option',
  [DROP_REASON.CT_MAP_INSERTION_FAILED]: 'CT: Map insertion failed',
  [DROP_REASON.INVALID_IPV6_EXTENSION_HEADER]: 'Invalid IPv6 extension header',
  [DROP_REASON.NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT]: 'No tunnel/encapsulation endpoint (datapath BUG!)',
  [DROP_REASON.FAILED_TO_INSERT_INTO_PROXYMAP]: 'NAT 46/64 not enabled',
  [DROP_REASON.REACHED_EDT_RATE_LIMITING_DROP_HORIZON]: 'Reached EDT rate-limiting drop horizon',
  [DROP_REASON.IS_A_CLUSTERIP]: 'Is a ClusterIP',
  [DROP_REASON.FORBIDDEN_ICMPV6_MESSAGE]: 'Forbidden ICMPv6 message',
  [DROP_REASON.POLICY_DENY]: 'Policy denied by denylist',
  [DROP_REASON.VLAN_FILTERED]: 'VLAN traffic disallowed by VLAN filter',
  [DROP_REASON.INVALID_VNI]: 'Incorrect VNI from VTEP',
  [DROP_REASON.INVALID_TC_BUFFER]: 'Failed to update or lookup TC buffer',
  [DROP_REASON.NO_SID]: 'No SID was found for the IP address',
  [DROP_REASON.MISSING_SRV6_STATE]: 'SRv6 state was removed during tail call',
  [DROP_REASON.NAT46]: 'L3 translation from IPv4 to IPv6 failed (NAT46)',
  [DROP_REASON.NAT64]: 'L3 translation from IPv6 to IPv4 failed (NAT64)',
  [DROP_REASON.AUTH_REQUIRED]: 'Authentication required',
  [DROP_REASON.CT_NO_MAP_FOUND]: 'No conntrack map found',
  [DROP_REASON.SNAT_NO_MAP_FOUND]: 'No nat map found',
  [DROP_REASON.INVALID_CLUSTER_ID]: 'Invalid ClusterID',
  [DROP_REASON.UNSUPPORTED_PROTOCOL_FOR_DSR_ENCAP]: 'Unsupported packet protocol for DSR encapsulation',
  [DROP_REASON.NO_EGRESS_GATEWAY]: 'No egress gateway found',
  [DROP_REASON.UNENCRYPTED_TRAFFIC]: 'Traffic is unencrypted',
  [DROP_REASON.NO_NODE_ID]: 'No node ID found',
  [DROP_REASON.DROP_RATE_LIMITED]: 'Rate limited',
  [DROP_REASON.IGMP_HANDLED]: 'IGMP handled',
  [DROP_REASON.IGMP_SUBSCRIBED]: 'IGMP subscribed',
  [DROP_REASON.DROP_HOST_NOT_READY]: 'Host datapath not ready',
  [DROP_REASON.DROP_EP_NOT_READY]: 'Endpoint policy program not available',
  [DROP_REASON.DROP_NO_EGRESS_IP]: 'No Egress IP configured',
  [DROP_REASON.DROP_PUNT_PROXY]: 'Punt to proxy',
};

/** The reason in Hubble's words: `Policy denied`, `Stale or unroutable IP`. */
export function dropReasonText(reason: number): string {
  const known = WORDS[reason];
  if (known !== undefined) return known;
  const words = dropReasons.name(reason).split('_');
  const text = words.map((word) => (ACRONYMS.has(word) ? word : word.toLowerCase())).join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
