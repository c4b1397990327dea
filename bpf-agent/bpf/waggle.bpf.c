// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Waggle's datapath, a table of contents:
 *
 *   from_endpoint  host side of a pod's veth, ingress: what the pod sends
 *   to_endpoint    the same interface, egress: what the pod receives
 *   from_outside   the node's uplink, ingress: what clients outside send to Services, and what backends elsewhere answer
 *   to_outside     the same interface, egress: what backends of this node answer
 *   sweep          run by the agent: ends idle connections, tells the active ones
 *   connect4 … release_socket  on the node's cgroup: Services, before there is a packet
 *
 *   record.h    what the agent is told           emit.h      when it is written
 *   packet.h    what is known of a packet        plain.h     how, for the usual one
 *   parse.h     how, for any other (fragment.h: ports of later fragments)
 *   connection.h the connection table            conntrack.h when connections begin and end
 *   observe.h   what a packet does to its connection (tcp.h: its state)
 *   policy.h    may a connection be opened?      enforce.h   when that is asked, and for which direction
 *   related.h   ICMP errors                      drop.h      telling what was dropped
 *   service.h   frontend → backend        socket-service.h  at connect() and sendto(), and back
 *   translation-trace.h telling it
 *   identity.h  address → identity               endpoint.h  interface → endpoint
 *   external.h  Services for clients outside      uplink.h   their packets (rewrite.h: addresses, ports, checksums)
 *   dns-sample.h what DNS servers answer
 *   counters.h  seen, unparsed, lost             settings.h  time-outs (clock.h)
 *   agent.h     what agents leave each other     likely.h    the usual packet's way
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#ifndef TCX_NEXT
#define TCX_NEXT -1 /* = TC_ACT_UNSPEC: other programs on the hook still run */
#endif

#include "agent.h"
#include "observe.h"
#include "socket-service.h"
#include "sweep.h"
#include "uplink.h"

SEC("tc")
int from_endpoint(struct __sk_buff *skb)
{
	return observe(skb, 1);
}

SEC("tc")
int to_endpoint(struct __sk_buff *skb)
{
	return observe(skb, 0);
}

SEC("tc")
int from_outside(struct __sk_buff *skb)
{
	return translate_at_uplink(skb, 0);
}

SEC("tc")
int to_outside(struct __sk_buff *skb)
{
	return translate_at_uplink(skb, 1);
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *context)
{
	return service_forth(context, 0, 1);
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr *context)
{
	return service_forth(context, 1, 1);
}

SEC("cgroup/sendmsg4")
int sendmsg4(struct bpf_sock_addr *context)
{
	return service_forth(context, 0, 0);
}

SEC("cgroup/sendmsg6")
int sendmsg6(struct bpf_sock_addr *context)
{
	return service_forth(context, 1, 0);
}

SEC("cgroup/recvmsg4")
int recvmsg4(struct bpf_sock_addr *context)
{
	return service_back(context, 0, 1);
}

SEC("cgroup/recvmsg6")
int recvmsg6(struct bpf_sock_addr *context)
{
	return service_back(context, 1, 1);
}

SEC("cgroup/getpeername4")
int getpeername4(struct bpf_sock_addr *context)
{
	return service_back(context, 0, 0);
}

SEC("cgroup/getpeername6")
int getpeername6(struct bpf_sock_addr *context)
{
	return service_back(context, 1, 0);
}

SEC("cgroup/sock_release")
int release_socket(struct bpf_sock *socket)
{
	return forget_socket(socket);
}

SEC("syscall")
int sweep(struct sweep_result *result)
{
	return sweep_connections(result);
}

/* Keeps the records in the type information, where the agent's tests read their layout. */
const struct flow_record *record_layout __attribute__((unused));
const struct dns_sample *dns_sample_layout __attribute__((unused));

char LICENSE[] SEC("license") = "Dual BSD/GPL";
