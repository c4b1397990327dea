/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Services at the socket: what a program connects or sends to is exchanged for a backend before there is a packet, and the
 * frontend is shown again to who asks for the peer. Addresses are in the 16-byte form, so that IPv4-mapped ones of IPv6
 * sockets need nothing of their own.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "drop.h"
#include "endpoint.h"
#include "packet.h"
#include "service.h"
#include "translation-trace.h"

#define PASS 1
#define REFUSE 0
#define ECONNREFUSED 111
#define SOCKET_STREAM 1
#define SOCKET_DATAGRAM 2
#define ADDRESS_FAMILY_IPV4 2

/* Where a socket wants to go, or has heard from. */
struct destination {
	union address address;
	__be16 port;
	__u8 protocol;
};

/*
 * A backend may be gone between the look at its frontend and the look at itself: the second look at the frontend then shows
 * the set without it.
 */
#define LOOKS 2

/* One flow for a connection that is refused, because its Service has no backend that could take it. */
static __noinline void tell_refusal(const struct destination *to, __u64 netns, __u32 service)
{
	__u32 *interface_index = bpf_map_lookup_elem(&client_namespaces, &netns);
	struct connection connection = { .egress = 1, .service = service };
	struct packet packet = { .packets = 1, .outgoing = 1, .drop_reason = DROP_NO_SERVICE_BACKEND };
	const struct endpoint *endpoint;

	if (!interface_index)
		return;
	endpoint = bpf_map_lookup_elem(&endpoints, interface_index);
	if (!endpoint)
		return;
	packet.key.interface_index = *interface_index;
	packet.key.local = is_ipv4(&endpoint->own[0]) == is_ipv4(&to->address) ? endpoint->own[0] : endpoint->own[1];
	packet.key.remote = to->address;
	packet.key.remote_port = bpf_ntohs(to->port);
	packet.key.protocol = to->protocol;
	packet.ipv6 = !is_ipv4(&to->address);
	connection.source_identity = endpoint->identity;
	connection.destination_identity = IDENTITY_WORLD;
	connection.endpoint_id = endpoint->id;
	tell_drop(&packet, &connection);
}

static __always_inline void remember(struct translation_key *key, const struct destination *asked, __u32 service,
				     __u32 backend, __u8 connected, __u64 netns)
{
	struct translation translation = {
		.address = asked->address,
		.port = asked->port,
		.connected = connected,
		.service = service,
		.backend = backend,
		.process = bpf_get_current_pid_tgid() >> 32,
		.netns = netns,
	};

	bpf_map_update_elem(&translations, key, &translation, BPF_ANY);
}

static __always_inline void tell_exchange(const struct destination *frontend, const struct destination *backend,
					  __u64 socket, __u64 netns, __u32 service, const int reverse)
{
	struct translation_event event = {
		.frontend = frontend->address,
		.backend = backend->address,
		.frontend_port = frontend->port,
		.backend_port = backend->port,
		.service = service,
		.socket = socket,
		.netns = netns,
		.protocol = backend->protocol,
		.reverse = reverse,
	};

	tell_translation(&event);
}

/*
 * @arg to        exchanged for a backend, if a Service owns it
 * @arg connected 1 = connect(), 0 = sendto(), which stays with the backend of its last one while that lives
 * Returns 1: go on; 0: refuse.
 */
static __noinline int translate(struct bpf_sock_addr *context, struct destination *to, int connected)
{
	struct service_key service_key = { .address = to->address, .port = to->port, .protocol = to->protocol };
	struct translation_key key = { .protocol = to->protocol };
	const struct service *service = bpf_map_lookup_elem(&services, &service_key);
	const struct backend *backend = 0;
	struct destination asked = *to;
	__u32 chosen = 0, *before, id;
	__u64 netns;
	int look;

	if (!service)
		return PASS;
	id = service->id;
	key.socket = bpf_get_socket_cookie(context);
	netns = bpf_get_netns_cookie(context);
	if (!connected) {
		key.address = to->address;
		key.port = to->port;
		before = bpf_map_lookup_elem(&datagram_backends, &key);
		if (before) {
			chosen = *before;
			backend = bpf_map_lookup_elem(&service_backends, &chosen);
		}
	}
	if (!backend) {
		for (look = 0; look < LOOKS && !backend; look++) {
			chosen = choose_backend(service, netns);
			backend = bpf_map_lookup_elem(&service_backends, &chosen);
			if (backend)
				break;
			service = bpf_map_lookup_elem(&services, &service_key);
			if (!service)
				return PASS;
		}
		if (!backend) {
			tell_refusal(&asked, netns, id);
			return REFUSE;
		}
		if (!connected)
			bpf_map_update_elem(&datagram_backends, &key, &chosen, BPF_ANY);
	}
	to->address = backend->address;
	to->port = backend->port;
	key.address = backend->address;
	key.port = backend->port;
	if (connected || !bpf_map_lookup_elem(&translations, &key)) {
		remember(&key, &asked, id, chosen, connected, netns);
		tell_exchange(&asked, to, key.socket, netns, id, 0);
	}
	return PASS;
}

/*
 * The reverse: @arg from what the kernel knows as the peer, exchanged for the frontend that was asked for.
 * @arg received 1 = a datagram came from there; 0 = somebody asks who the peer is, which is not told
 */
static __noinline int translate_back(struct bpf_sock_addr *context, struct destination *from, int received)
{
	struct destination backend = *from;
	struct translation_key key = {
		.socket = bpf_get_socket_cookie(context),
		.address = from->address,
		.port = from->port,
		.protocol = from->protocol,
	};
	const struct translation *translation = bpf_map_lookup_elem(&translations, &key);

	if (!translation)
		return 0;
	from->address = translation->address;
	from->port = translation->port;
	if (received)
		tell_exchange(from, &backend, key.socket, translation->netns, translation->service, 1);
	return 1;
}

static __always_inline __u8 protocol_of(struct bpf_sock_addr *context)
{
	if (context->type == SOCKET_STREAM)
		return PROTOCOL_TCP;
	return context->type == SOCKET_DATAGRAM ? PROTOCOL_UDP : 0;
}

static __always_inline void read_address4(struct bpf_sock_addr *context, struct destination *destination)
{
	__builtin_memset(destination, 0, sizeof(*destination));
	address_from_ipv4(&destination->address, context->user_ip4);
	destination->port = context->user_port;
	destination->protocol = protocol_of(context);
}

static __always_inline void read_address6(struct bpf_sock_addr *context, struct destination *destination)
{
	__builtin_memset(destination, 0, sizeof(*destination));
	destination->address.words[0] = context->user_ip6[0];
	destination->address.words[1] = context->user_ip6[1];
	destination->address.words[2] = context->user_ip6[2];
	destination->address.words[3] = context->user_ip6[3];
	destination->port = context->user_port;
	destination->protocol = protocol_of(context);
}

static __always_inline void write_address4(struct bpf_sock_addr *context, const struct destination *destination)
{
	context->user_ip4 = destination->address.words[3];
	context->user_port = destination->port;
}

static __always_inline void write_address6(struct bpf_sock_addr *context, const struct destination *destination)
{
	context->user_ip6[0] = destination->address.words[0];
	context->user_ip6[1] = destination->address.words[1];
	context->user_ip6[2] = destination->address.words[2];
	context->user_ip6[3] = destination->address.words[3];
	context->user_port = destination->port;
}

static __always_inline int service_forth(struct bpf_sock_addr *context, const int ipv6, const int connected)
{
	struct destination to;

	if (ipv6)
		read_address6(context, &to);
	else
		read_address4(context, &to);
	if (!translate(context, &to, connected)) {
		bpf_set_retval(-ECONNREFUSED);
		return REFUSE;
	}
	if (ipv6)
		write_address6(context, &to);
	else
		write_address4(context, &to);
	return PASS;
}

static __always_inline int service_back(struct bpf_sock_addr *context, const int ipv6, const int received)
{
	struct destination from;

	if (ipv6)
		read_address6(context, &from);
	else
		read_address4(context, &from);
	if (!translate_back(context, &from, received))
		return PASS;
	if (ipv6)
		write_address6(context, &from);
	else
		write_address4(context, &from);
	return PASS;
}

/* A socket is closed: what its peer stood for is forgotten. What it sent to without connecting is evicted in time. */
static __always_inline int forget_socket(struct bpf_sock *socket)
{
	struct translation_key key = { .protocol = socket->protocol, .port = socket->dst_port };

	__u32 ipv4 = socket->dst_ip4;

	/* Both forms are read before one is chosen: the verifier takes no load whose place in the context depends on a branch. */
	key.address.words[0] = socket->dst_ip6[0];
	key.address.words[1] = socket->dst_ip6[1];
	key.address.words[2] = socket->dst_ip6[2];
	key.address.words[3] = socket->dst_ip6[3];
	if (!key.port)
		return PASS;
	if (socket->family == ADDRESS_FAMILY_IPV4)
		address_from_ipv4(&key.address, ipv4);
	key.socket = bpf_get_socket_cookie(socket);
	bpf_map_delete_elem(&translations, &key);
	return PASS;
}
