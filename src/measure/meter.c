/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/meter.h"

#include "base/macros.h"

void tw_meter_spend(struct tw_meter *meter, usec_t cpu_usec)
{
	meter->spent_usec = tw_usec_add(meter->spent_usec, cpu_usec);
	meter->owed_usec = TW_MIN(tw_usec_add(meter->owed_usec, cpu_usec), TW_METER_OWED_MAX);
}

void tw_meter_borrow(struct tw_meter *meter, usec_t cpu_usec)
{
	meter->spent_usec = tw_usec_add(meter->spent_usec, cpu_usec);
	meter->borrowed_usec = TW_MIN(tw_usec_add(meter->borrowed_usec, cpu_usec), TW_METER_OWED_MAX);
}

usec_t tw_meter_pay(struct tw_meter *meter, usec_t amount_usec)
{
	usec_t paid_usec = TW_MIN(meter->owed_usec, amount_usec);
	usec_t returned_usec = TW_MIN(meter->borrowed_usec, amount_usec - paid_usec);

	meter->owed_usec -= paid_usec;
	meter->borrowed_usec -= returned_usec;
	return amount_usec - paid_usec - returned_usec;
}

usec_t tw_income_take(struct tw_income *income, int64_t budget_milli, usec_t now_usec)
{
	usec_t span_usec = tw_usec_since(now_usec, income->taken_usec);
	/* At most an hour counts: it pays off any debt, and the product below stays small. */
	usec_t amount_usec = TW_MIN(span_usec, TW_USEC_PER_HOUR) * (uint64_t)budget_milli / 100000;

	income->taken_usec = now_usec;
	return amount_usec - amount_usec / TW_INCOME_ASIDE;
}
