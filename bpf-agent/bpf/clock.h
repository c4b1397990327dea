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
