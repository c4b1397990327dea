/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What policy means for connections and packets: when it is asked, and for which direction. */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "connection.h"
#include "endpoint.h"
#include "identity.h"
#include "packet.h"
#include "policy.h"

/* Asks for the connection's original direction, and leaves in it which rules decided. Returns an enum drop_reason, or 0. */
__noinline __u32 judge_connection(const struct endpoint *endpoint, const struct connection_key *key,
				  struct connection *connection)
{
	struct question question = {};
	struct answer answer;
	__u32 reason;

	if (!endpoint || !key || !connection) /* never; the verifier wants to see it */
		return 0;
	question.remote = key->remote;
	question.egress = connection->egress & 1;
	question.peer = question.egress ? connection->destination_identity : connection->source_identity;
	question.protocol = key->protocol;
	if (key->protocol == PROTOCOL_ICMP || key->protocol == PROTOCOL_ICMPV6)
		question.port = connection->icmp_type;
	else
		question.port = question.egress ? key->remote_port : key->local_port;
	reason = judge(endpoint, &question, &answer);
	connection->rule_id = answer.rule;
	connection->audit_rule_id = answer.audit_rule;
	return reason;
}

/* An address that no router forwards: whose it is does not matter beyond the veth. */
static __always_inline int is_link_local(const union address *address)
{
	return address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80;
}

/* Whether the packet claims to come from an address that is not the pod's. */
static __always_inline int is_spoofed(const struct endpoint *endpoint, const struct packet *packet)
{
	return packet->outgoing && endpoint->flags & ENDPOINT_GUARDED && !is_own(endpoint, &packet->key.local) &&
	       !is_link_local(&packet->key.local);
}

/* A packet that does not tell who opened its connection: it may belong to either direction. */
static __always_inline int is_mid_stream(const struct packet *packet)
{
	if (packet->later_fragment)
		return 0;
	if (packet->key.protocol == PROTOCOL_TCP)
		return !(packet->tcp_flags & TCP_SYN);
	return packet->key.protocol == PROTOCOL_SCTP && packet->chunk != CHUNK_OPEN && packet->chunk != CHUNK_OPEN_REPLY;
}

static __always_inline void turn_round(struct connection *connection)
{
	__u32 source = connection->source_identity;

	connection->source_identity = connection->destination_identity;
	connection->destination_identity = source;
	connection->egress ^= 1;
}

/*
 * A packet without an entry. A mid-stream one is let pass if either direction may be opened, and the connection is then
 * taken to be of that one.
 * @arg fresh the entry to be, with its identities
 * Returns an enum drop_reason, or 0.
 */
__noinline __u32 admit(const struct endpoint *endpoint, const struct packet *packet, struct connection *fresh)
{
	__u32 reason, rule;

	if (!endpoint || !packet || !fresh) /* never; the verifier wants to see it */
		return 0;
	if (is_spoofed(endpoint, packet))
		return DROP_INVALID_SOURCE;
	reason = judge_connection(endpoint, &packet->key, fresh);
	if (!reason || !is_mid_stream(packet))
		return reason;
	rule = fresh->rule_id;
	turn_round(fresh);
	if (!judge_connection(endpoint, &packet->key, fresh))
		return 0;
	turn_round(fresh);
	fresh->rule_id = rule;
	return reason;
}

/* A connection that was judged under an older revision: asks again, and remembers. */
static __noinline void judge_again(const struct connection_key *key, struct connection *connection,
				   const struct datapath_state *revisions)
{
	__u32 interface_index = key->interface_index, policy_revision = revisions->policy_revision;
	const struct endpoint *endpoint;

	if (connection->identity_revision != revisions->identity_revision)
		resolve_identities(key, connection, revisions->identity_revision);
	endpoint = bpf_map_lookup_elem(&endpoints, &interface_index);
	if (endpoint && endpoint->flags) {
		connection->drop_reason = judge_connection(endpoint, key, connection);
	} else {
		connection->drop_reason = 0;
		connection->rule_id = 0;
		connection->audit_rule_id = 0;
	}
	connection->policy_revision = policy_revision;
}

/* Why a packet that could not be parsed is dropped; 0 = it passes, nobody guards this interface. */
static __noinline __u32 unparsed_reason(__u32 interface_index, __u32 unparsed)
{
	const struct endpoint *endpoint = bpf_map_lookup_elem(&endpoints, &interface_index);

	if (!endpoint || !(endpoint->flags & ENDPOINT_GUARDED))
		return 0;
	switch (unparsed) {
	case UNPARSED_TRANSPORT_TRUNCATED:
	case UNPARSED_TRANSPORT_MALFORMED:
		return DROP_INVALID_HEADER;
	case UNPARSED_EXTENSION_HEADERS:
		return DROP_INVALID_EXTENSION;
	case UNPARSED_FRAGMENT_UNKNOWN:
		return DROP_FRAGMENT_UNKNOWN;
	default:
		return DROP_INVALID_PACKET;
	}
}
