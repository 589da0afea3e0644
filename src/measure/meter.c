/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/meter.h"

#include "base/macros.h"

void tw_meter_init(struct tw_meter *meter, usec_t now_usec)
{
	*meter = (struct tw_meter){ .paid_at_usec = now_usec };
}

void tw_meter_pay(struct tw_meter *meter, int64_t budget_milli, usec_t now_usec)
{
	usec_t span_usec = tw_usec_since(now_usec, meter->paid_at_usec);
	/* At most an hour counts: it pays off any debt, and the product below stays small. */
	usec_t paid_usec = TW_MIN(span_usec, TW_USEC_PER_HOUR) * (uint64_t)budget_milli / 100000;

	paid_usec -= paid_usec / TW_METER_ASIDE;

	meter->owed_usec = tw_usec_since(meter->owed_usec, paid_usec);
	meter->paid_at_usec = now_usec;
}

void tw_meter_spend(struct tw_meter *meter, usec_t cpu_usec)
{
	meter->spent_usec = tw_usec_add(meter->spent_usec, cpu_usec);
	meter->owed_usec = TW_MIN(tw_usec_add(meter->owed_usec, cpu_usec), TW_METER_OWED_MAX);
}
