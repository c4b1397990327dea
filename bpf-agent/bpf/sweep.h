/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The sweep: run by the agent every few seconds, inside the kernel, over the whole connection table. It tells
 * connections that have something untold for longer than the record interval, and ends those that are idle.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "conntrack.h"
#include "counters.h"
#include "drop.h"
#include "emit.h"
#include "external-open.h"

/* The program's context and result. */
struct sweep_result {
	__u64 visited;  /* entries in the table */
	__u64 told;     /* interval records written */
	__u64 ended;    /* connections ended and deleted */
	__u64 deferred; /* the ring was full: tried again by the next sweep */
	__u64 external; /* entries in external_connections */
};

struct sweep_run {
	struct sweep_result result;
	__u32 now; /* ticks */
};

struct bpf_map;

static long sweep_connection(struct bpf_map *map, const struct connection_key *key, struct connection *connection,
			     struct sweep_run *run)
{
	__u32 now = run->now, last;
	struct datapath_counters *own;
	__u32 trigger;

	run->result.visited++;
	if (elapsed(connection->last_seen, now) >= idle_timeout(key->protocol, connection->state)) {
		trigger = end_trigger(connection);
		if (trigger && emit_rest(key, connection, trigger)) {
			run->result.deferred++;
			return 0;
		}
		/* A packet that came while we wrote keeps its connection. */
		if (has_untold(connection))
			return 0;
		bpf_map_delete_elem(map, key);
		run->result.ended++;
		own = own_counters();
		if (own)
			count(&own->connections_ended);
		return 0;
	}
	if (connection->state & STATE_CLOSED || !has_untold(connection))
		return 0;
	last = connection->last_record;
	if (elapsed(last, now) < settings.record_interval)
		return 0;
	if (__sync_val_compare_and_swap(&connection->last_record, last, now) != last)
		return 0;
	if (emit_rest(key, connection, TRIGGER_INTERVAL))
		run->result.deferred++;
	else
		run->result.told++;
	return 0;
}

static __always_inline int sweep_connections(struct sweep_result *result)
{
	struct sweep_run run = {};
	__u64 now = table_now(), external = 0;

	run.now = ticks_now();
	bpf_for_each_map_elem(&connections, sweep_connection, &run, 0);
	bpf_for_each_map_elem(&drops, sweep_drop, &now, 0);
	bpf_for_each_map_elem(&external_connections, sweep_external, &external, 0);
	result->visited = run.result.visited;
	result->told = run.result.told;
	result->ended = run.result.ended;
	result->deferred = run.result.deferred;
	result->external = external;
	return 0;
}
