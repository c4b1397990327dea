/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The connection table's clock: the kernel's tick count in nanoseconds (steps of 1–10 ms, its own origin). It costs one
 * load where bpf_ktime_get_coarse_ns() costs 12 ns, and every packet reads it. Records carry bpf_ktime_get_ns().
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "settings.h"

static __always_inline __u64 table_now(void)
{
	return bpf_jiffies64() * settings.tick;
}

/* The same in ticks: what connections keep. It wraps (at 250 Hz after 198 days), so only spans mean something. */
static __always_inline __u32 ticks_now(void)
{
	return bpf_jiffies64();
}

/* Nanoseconds between two readings of ticks_now(); 0 when another CPU has put down a later one meanwhile. */
static __always_inline __u64 elapsed(__u32 since, __u32 now)
{
	return now - since < 1u << 31 ? (now - since) * settings.tick : 0;
}
