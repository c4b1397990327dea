/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How connections from outside begin, and when they are over. Their time-outs are those of the connection table. */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "clock.h"
#include "conntrack.h"
#include "drop.h"
#include "external.h"

/* How often a free port, or a backend that the client is not with already, is looked for. */
#define PORT_LOOKS 32
#define BACKEND_LOOKS 4

static __always_inline int external_is_over(const struct external_key *key, const struct external_connection *entry)
{
	return elapsed(entry->last_seen, ticks_now()) > idle_timeout(key->protocol, entry->state);
}

/*
 * Notes a packet in both entries, at most once a second unless it says something new; and makes the other one again, if it
 * was evicted.
 */
static __noinline void touch_external(const struct external_key *key, struct external_connection *entry, __u32 tcp_flags)
{
	__u32 way = entry->way & 1, bits = STATE_SEEN << way, now = ticks_now();
	struct external_connection *other, again;
	struct external_key back;

	if (key->protocol == PROTOCOL_TCP) {
		if (tcp_flags & TCP_FIN)
			bits |= STATE_FIN << way;
		if (tcp_flags & TCP_RST)
			bits |= STATE_CLOSED;
	}
	bits &= ~entry->state;
	if (!bits && elapsed(entry->last_seen, now) < SECONDS)
		return;
	entry->last_seen = now;
	if (bits)
		__sync_fetch_and_or(&entry->state, bits);
	external_key_back(&back, key, entry);
	other = bpf_map_lookup_elem(&external_connections, &back);
	if (other) {
		other->last_seen = now;
		if (bits)
			__sync_fetch_and_or(&other->state, bits);
		return;
	}
	external_entry_back(&again, key, entry);
	if (!bpf_map_update_elem(&external_connections, &back, &again, BPF_NOEXIST))
		count_external(EXTERNAL_ENTERED);
}

/*
 * Enters the way back of a connection that is about to be opened, if nobody else has it.
 * Returns 1, or 0 when it is taken.
 */
static __noinline int take_way_back(const struct external_key *key, const struct external_connection *entry)
{
	struct external_connection back, *other;
	struct external_key back_key;

	external_key_back(&back_key, key, entry);
	external_entry_back(&back, key, entry);
	other = bpf_map_lookup_elem(&external_connections, &back_key);
	if (other && !external_is_over(&back_key, other) && !(other->state & STATE_CLOSED) &&
	    !(same_address(&other->source, &back.source) && other->source_port == back.source_port &&
	      same_address(&other->destination, &back.destination) && other->destination_port == back.destination_port))
		return 0;
	if (bpf_map_update_elem(&external_connections, &back_key, &back, other ? BPF_ANY : BPF_NOEXIST))
		return 0;
	if (!other)
		count_external(EXTERNAL_ENTERED);
	return 1;
}

/* What affinity and Maglev know a client by: its address. Never the cookie of a network namespace, which is small. */
static __always_inline __u64 client_of(const union address *address)
{
	__u64 high = (__u64)address->words[0] << 32 | address->words[1];
	__u64 low = (__u64)address->words[2] << 32 | address->words[3];

	return (high * 0x9e3779b97f4a7c15ULL ^ low) | 1ULL << 63;
}

/*
 * Chooses a backend, and under which address and port it will see the client.
 * @arg entry filled in, and its way back entered
 * Returns 0, or an enum drop_reason. Not static, so that the verifier checks it once by itself.
 */
__noinline int place_external(const struct external_key *key, const struct service *service,
				       struct external_connection *entry)
{
	const struct backend *backend;
	const struct uplink *own;
	__u32 zero = 0, chosen, port, look;
	__u64 client;

	if (!key || !service || !entry) /* never; the verifier wants to see it */
		return DROP_NO_NAT_MAPPING;
	client = client_of(&key->source);
	own = bpf_map_lookup_elem(&uplink, &zero);
	if (!own || !own->ports)
		return DROP_NO_NAT_MAPPING;
	for (look = 0; look < BACKEND_LOOKS; look++) {
		chosen = choose_backend(service, client);
		backend = bpf_map_lookup_elem(&service_backends, &chosen);
		if (!backend)
			continue;
		entry->backend = chosen;
		entry->destination = backend->address;
		entry->destination_port = backend->port;
		entry->source = key->source;
		entry->source_port = key->source_port;
		entry->masked = !backend->local;
		if (entry->masked)
			break;
		/* A client that asks for two addresses of a Service from one port cannot be with one backend through both. */
		if (take_way_back(key, entry))
			return 0;
	}
	if (!entry->backend)
		return DROP_NO_SERVICE_BACKEND;
	if (look == BACKEND_LOOKS)
		return DROP_NO_NAT_MAPPING;
	entry->source = own->own[is_ipv4(&key->source) ? 0 : 1];
	if (!entry->source.words[3])
		return DROP_NO_NAT_MAPPING;
	port = bpf_get_prandom_u32() % own->ports;
	for (look = 0; look < PORT_LOOKS; look++) {
		entry->source_port = bpf_htons(own->first_port + port);
		if (take_way_back(key, entry))
			return 0;
		port = port + 1 == own->ports ? 0 : port + 1;
	}
	return DROP_NO_NAT_MAPPING;
}

struct bpf_map;

/* Part of the sweep: both entries of a connection go when it has been silent for long enough. */
static long sweep_external(struct bpf_map *map, const struct external_key *key, struct external_connection *entry, __u64 *visited)
{
	*visited += 1;
	if (external_is_over(key, entry) && !bpf_map_delete_elem(map, key))
		count_external(EXTERNAL_LEFT);
	return 0;
}
