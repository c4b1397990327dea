/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which way the usual packet goes: the compiler lays that out in one line and puts the rest behind it, so that a packet touches
 * fewer lines of code.
 */
#pragma once

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
