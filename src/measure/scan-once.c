/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scan for who has no loop, no budget and no worker: apart from the scan for the length of that. */
#include "measure/scan.h"

#include <errno.h>

int tw_scan_once(struct tw_source *source, const struct tw_hash_key *key, const struct tw_scan_order *order,
		 struct tw_scan_past *past, struct tw_sample *sample)
{
	TW_CLEANUP_SCAN struct tw_scan *scan = tw_scan_new(key);
	struct tw_scan_order survey = *order;
	int r;

	if (!scan)
		return -ENOMEM;
	r = source->gauge(source, &survey.gauge);
	if (r < 0)
		return r;
	survey.kind = TW_SCAN_SURVEY;
	survey.gauge.at_usec = order->at_usec;
	r = tw_scan_begin(scan, past, source, &survey);
	if (r < 0)
		return r;
	while ((r = tw_scan_step(scan, source)) > 0)
		;
	if (r < 0)
		return r;
	sample->previous = sample->gauge;
	sample->gauge = survey.gauge;
	tw_scan_results(scan, sample);
	return 0;
}
