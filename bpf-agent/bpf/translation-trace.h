/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Telling what is exchanged at the socket, as Hubble's trace-sock events: two records for each, one with what stood there before
 * and one with what stands there after. Up to a rate per client, Service and way; beyond that they are counted.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "clock.h"
#include "counters.h"
#include "emit.h"
#include "endpoint.h"
#include "identity.h"
#include "record.h"
#include "service.h"

/* Exchanges told per client, Service, way and second. */
#define TRANSLATIONS_TOLD 5

/* What the program said or is shown, and what the kernel takes or has. */
struct translation_event {
	union address frontend;
	union address backend;
	__be16 frontend_port;
	__be16 backend_port;
	__u32 service;
	__u64 socket;    /* its cookie */
	__u64 netns;     /* cookie of its network namespace */
	__u8 protocol;
	__u8 reverse;    /* 1 = who sent a datagram, 0 = where to connect or send */
	__u8 reserved[6];
};

struct translation_rate_key {
	__u64 client; /* cookie of its network namespace */
	__u32 service;
	__u32 reverse;
};

struct translation_rate {
	__u64 window; /* table clock: start of the second in which `told` counts */
	__u64 told;
};

/* Inserted by the programs (or evicted). */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct translation_rate_key);
	__type(value, struct translation_rate);
} translation_rates SEC(".maps");

/* Exchanges for pods: [0] told, [1] beyond the rate. Written by the programs, read by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} translation_counts SEC(".maps");

/* Whether this one may be told. */
static __noinline int within_rate(const struct translation_event *event)
{
	struct translation_rate_key key = { .client = event->netns, .service = event->service, .reverse = event->reverse };
	struct translation_rate fresh = { .window = table_now(), .told = 1 };
	struct translation_rate *rate = bpf_map_lookup_elem(&translation_rates, &key);

	if (!rate) {
		bpf_map_update_elem(&translation_rates, &key, &fresh, BPF_ANY);
		return 1;
	}
	if (fresh.window - rate->window >= SECONDS) {
		rate->window = fresh.window;
		rate->told = 0;
	}
	if (rate->told >= TRANSLATIONS_TOLD)
		return 0;
	rate->told++;
	return 1;
}

static __noinline void write_translation(const struct translation_event *event, const struct endpoint *client,
					 __u32 interface_index, int after)
{
	struct flow_record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	int is_frontend = event->reverse ? after : !after;
	const union address *peer = is_frontend ? &event->frontend : &event->backend;
	__u16 port = bpf_ntohs(is_frontend ? event->frontend_port : event->backend_port);
	__u32 identity = is_frontend ? IDENTITY_WORLD : identity_of(peer);
	int ipv6 = !is_ipv4(&event->backend);
	const union address *own = &client->own[ipv6];
	__u64 cgroup = bpf_get_current_cgroup_id();

	if (!record) {
		struct datapath_counters *counters = own_counters();

		if (counters)
			count(&counters->ring_full[TRIGGER_TRANSLATION]);
		return;
	}
	__builtin_memset(record, 0, sizeof(*record));
	record->time = bpf_ktime_get_ns();
	if (event->reverse) {
		copy_address(record->source_address, peer);
		copy_address(record->destination_address, own);
		record->source_identity = identity;
		record->destination_identity = client->identity;
		record->source_port = port;
		record->observation = after ? OBSERVED_POST_XLATE_REV : OBSERVED_PRE_XLATE_REV;
	} else {
		copy_address(record->source_address, own);
		copy_address(record->destination_address, peer);
		record->source_identity = client->identity;
		record->destination_identity = identity;
		record->destination_port = port;
		record->observation = after ? OBSERVED_POST_XLATE_FWD : OBSERVED_PRE_XLATE_FWD;
	}
	record->interface_index = interface_index;
	record->endpoint_id = client->id;
	record->protocol = event->protocol;
	record->trigger = TRIGGER_TRANSLATION;
	record->reply = REPLY_UNKNOWN;
	record->verdict = after ? VERDICT_TRANSLATED : VERDICT_TRACED;
	record->ipv6 = ipv6;
	record->packets_original = event->socket;
	record->packets_reply = event->socket >> 32;
	record->bytes_original = cgroup;
	record->bytes_reply = cgroup >> 32;
	record->service_id = event->service;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

/* Tells of an exchange, if it is a pod's. */
static __noinline void tell_translation(const struct translation_event *event)
{
	__u32 *interface_index = bpf_map_lookup_elem(&client_namespaces, &event->netns);
	const struct endpoint *client;
	__u32 beyond = 0;
	__u64 *counted;

	if (!interface_index)
		return;
	client = bpf_map_lookup_elem(&endpoints, interface_index);
	if (!client)
		return;
	beyond = !within_rate(event);
	counted = bpf_map_lookup_elem(&translation_counts, &beyond);
	if (counted)
		*counted += 1;
	if (beyond)
		return;
	write_translation(event, client, *interface_index, 0);
	write_translation(event, client, *interface_index, 1);
}
