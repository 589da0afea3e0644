/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/cpu-budget.h"

#include "base/macros.h"

void tw_cpu_budget_spend(struct tw_cpu_budget *budget, usec_t cpu_usec)
{
	budget->spent_usec = tw_usec_add(budget->spent_usec, cpu_usec);
	budget->owed_usec = TW_MIN(tw_usec_add(budget->owed_usec, cpu_usec), TW_CPU_BUDGET_OWED_MAX);
}

void tw_cpu_budget_borrow(struct tw_cpu_budget *budget, usec_t cpu_usec)
{
	budget->spent_usec = tw_usec_add(budget->spent_usec, cpu_usec);
	budget->borrowed_usec = TW_MIN(tw_usec_add(budget->borrowed_usec, cpu_usec), TW_CPU_BUDGET_OWED_MAX);
}

usec_t tw_cpu_budget_pay(struct tw_cpu_budget *budget, usec_t amount_usec)
{
	usec_t paid_usec = TW_MIN(budget->owed_usec, amount_usec);
	usec_t returned_usec = TW_MIN(budget->borrowed_usec, amount_usec - paid_usec);

	budget->owed_usec -= paid_usec;
	budget->borrowed_usec -= returned_usec;
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
