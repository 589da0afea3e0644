/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/calibration.h"

/*
 * How far gauge and dump may be apart: what opens or closes in the tenths of a second that a dump takes, as a share of
 * all, and some at any size. A counter that has gone farther astray is not believed.
 */
#define APART_SHARE 128
#define APART_ALWAYS 16
/* So many in CLOSE-WAIT, in one dump or in several, tell anything at all. */
#define CLOSE_WAIT_MIN 16
/* They must be so many times as many as what the gauge is off on the whole, and as its scatter. */
#define OFF_FACTOR 4
#define SCATTER_FACTOR 8
/* Larger than any number of sockets; keeps the sums below from ever wrapping. */
#define COUNT_MAX (UINT64_C(1) << 40)

static int64_t difference(uint64_t a, uint64_t b)
{
	return (int64_t)(a < COUNT_MAX ? a : COUNT_MAX) - (int64_t)(b < COUNT_MAX ? b : COUNT_MAX);
}

static uint64_t magnitude(int64_t number)
{
	return number < 0 ? (uint64_t)-number : (uint64_t)number;
}

static void forget_evidence(struct tw_calibration *calibration)
{
	calibration->close_wait = 0;
	calibration->beyond = 0;
	calibration->squares_both = calibration->squares_established = 0;
}

static bool agrees(const struct tw_calibration *calibration, int64_t off_both, int64_t off_established,
		   uint64_t established)
{
	uint64_t allowed = APART_ALWAYS + established / APART_SHARE;
	bool both = magnitude(off_both) <= allowed, alone = magnitude(off_established) <= allowed;

	switch (calibration->counting) {
	case TW_COUNTING_UNKNOWN:
		break;
	case TW_COUNTING_BOTH:
		return both;
	case TW_COUNTING_ESTABLISHED:
		return alone;
	}
	return both || alone;
}

/*
 * Whether the evidence is for one way of counting: `off` is how far the gauge was off if it counted so. The sum of what
 * comes and goes grows with the root of the number of dumps only, that of CLOSE-WAIT with their number.
 */
static bool is_told(const struct tw_calibration *calibration, int64_t off, unsigned __int128 squares)
{
	unsigned __int128 close_wait = calibration->close_wait;

	return close_wait >= CLOSE_WAIT_MIN && (unsigned __int128)magnitude(off) * OFF_FACTOR <= close_wait &&
	       squares * SCATTER_FACTOR * SCATTER_FACTOR <= close_wait * close_wait;
}

/* The two exclude each other: the sums that they want to be small are a whole CLOSE-WAIT apart. */
static enum tw_counting told(const struct tw_calibration *calibration)
{
	int64_t off_both = calibration->beyond - (int64_t)calibration->close_wait;

	if (is_told(calibration, off_both, calibration->squares_both))
		return TW_COUNTING_BOTH;
	if (is_told(calibration, calibration->beyond, calibration->squares_established))
		return TW_COUNTING_ESTABLISHED;
	return TW_COUNTING_UNKNOWN;
}

static void conclude(struct tw_calibration *calibration)
{
	enum tw_counting counting = told(calibration);

	/* No longer than the sums can hold; what is known by then stays. */
	if (counting == TW_COUNTING_UNKNOWN) {
		if (calibration->close_wait >= COUNT_MAX || magnitude(calibration->beyond) >= COUNT_MAX)
			forget_evidence(calibration);
		return;
	}
	if (calibration->counting != TW_COUNTING_UNKNOWN && calibration->counting != counting) {
		*calibration = (struct tw_calibration){ 0 };
		return;
	}
	calibration->counting = counting;
	forget_evidence(calibration);
}

void tw_calibration_learn(struct tw_calibration *calibration, uint64_t gauge, const struct tw_calibration_dump *dump)
{
	int64_t beyond = difference(gauge, dump->established);
	int64_t close_wait = difference(dump->close_wait, 0);
	int64_t off_both = beyond - close_wait;

	if (!agrees(calibration, off_both, beyond, dump->established)) {
		*calibration = (struct tw_calibration){ 0 };
		return;
	}
	calibration->agrees = true;
	calibration->none_waited = dump->close_wait == 0;
	calibration->close_wait += (uint64_t)close_wait;
	calibration->beyond += beyond;
	calibration->squares_both += (unsigned __int128)magnitude(off_both) * magnitude(off_both);
	calibration->squares_established += (unsigned __int128)magnitude(beyond) * magnitude(beyond);
	conclude(calibration);
}

bool tw_calibration_allows(const struct tw_calibration *calibration)
{
	return calibration->agrees && (calibration->counting != TW_COUNTING_UNKNOWN || calibration->none_waited);
}

bool tw_calibration_derive(struct tw_calibration *calibration, uint64_t gauge, uint64_t close_wait,
			   uint64_t *ret_established)
{
	calibration->none_waited = close_wait == 0;
	if (!tw_calibration_allows(calibration))
		return false;
	if (calibration->counting == TW_COUNTING_BOTH) {
		if (gauge < close_wait)
			return false;
		gauge -= close_wait;
	}
	*ret_established = gauge;
	return true;
}
