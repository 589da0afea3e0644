/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The texts of /proc/net and /proc/sys/net as (text, length), whatever bytes they are. Each returns 0, or -EINVAL where
 * the text is not what its name says; outputs are untouched on failure.
 */

/* Files of /proc/net (net/ipv4/proc.c). */
enum tw_procnet {
	TW_PROCNET_SOCKSTAT,
	TW_PROCNET_SOCKSTAT6,
	TW_PROCNET_SNMP,
	TW_PROCNET_NETSTAT,
	TW_PROCNET_COUNT,
};

/*
 * Adds to the gauge what this file tells of it; the rest of it is left alone. All that sockstat tells must be there,
 * and CurrEstab; any other name that is absent, or without a number, stays as it was. Names not known are passed over.
 */
int tw_procnet_parse(enum tw_procnet file, const char *text, size_t length, struct tw_gauge *gauge);

/* Exactly so many numbers that are not negative, and nothing else: a sysctl. Into *ret the last of them. */
int tw_procnet_parse_numbers(const char *text, size_t length, unsigned count, uint64_t *ret);
