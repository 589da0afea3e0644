/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/look.h"

#include <errno.h>

int tw_look_take(struct tw_source *source, const struct tw_look_order *order, struct tw_scan_past *past,
		 struct tw_sample *sample)
{
	TW_CLEANUP_SCAN struct tw_scan *scan = tw_scan_new(&order->key);
	struct tw_scan_order scan_order = {
		.kind = TW_SCAN_SURVEY,
		.bound_known = order->bound_known,
		.ask_most = order->ask_most,
		.at_usec = order->at_usec,
	};
	int r;

	if (!scan)
		return -ENOMEM;
	r = source->gauge(source, &scan_order.gauge);
	if (r < 0)
		return r;
	scan_order.gauge.at_usec = order->at_usec;
	r = tw_scan_begin(scan, past, source, &scan_order);
	if (r < 0)
		return r;
	while ((r = tw_scan_step(scan, source)) > 0)
		;
	if (r < 0)
		return r;
	sample->previous = sample->gauge;
	sample->gauge = scan_order.gauge;
	tw_scan_results(scan, sample);
	return 0;
}
