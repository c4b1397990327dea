/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the loader may set before the programs are loaded. Read-only data afterwards: the verifier folds it into the
 * code. All spans in nanoseconds. Twin: bpf-agent/maps/settings.ts.
 */
#pragma once

#include <linux/types.h>

#define SECONDS 1000000000ULL

struct settings {
	__u64 record_interval;     /* an active connection tells at least this often; 0 = every packet */
	__u64 timeout_established; /* TCP, both directions seen */
	__u64 timeout_half_closed; /* TCP, one side has sent its FIN */
	__u64 timeout_closing;     /* TCP after RST or both FINs; SCTP after its shutdown */
	__u64 timeout_opening;     /* TCP, only one direction seen */
	__u64 timeout_udp;
	__u64 timeout_icmp;
	__u64 timeout_other;       /* SCTP and everything else */
	__u64 tick;                /* of this kernel (1 s / HZ) */
};

const volatile struct settings settings = {
	.record_interval = 5 * SECONDS,
	.timeout_established = 8000 * SECONDS,
	.timeout_half_closed = 120 * SECONDS,
	.timeout_closing = 5 * SECONDS,
	.timeout_opening = 60 * SECONDS,
	.timeout_udp = 30 * SECONDS,
	.timeout_icmp = 10 * SECONDS,
	.timeout_other = 60 * SECONDS,
	.tick = SECONDS / 250,
};
