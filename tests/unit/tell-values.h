/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Initialisers that the tests of the telling wing share. */

#define LIVE(number)                                        \
	{                                                   \
		.known = true, .value = { { (number), 0 } } \
	}
#define KNOWN(thousandths)                            \
	{                                             \
		.known = true, .milli = (thousandths) \
	}
#define IPV4(a, b, c, d)                                                             \
	{                                                                            \
		{                                                                    \
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (a), (b), (c), (d) \
		}                                                                    \
	}
#define TO_8080                                                                             \
	{                                                                                   \
		.source = IPV4(10, 0, 0, 1), .destination = IPV4(10, 0, 0, 2), .port = 8080 \
	}
