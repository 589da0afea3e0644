/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/manager.h"

#include <errno.h>

/* What may be owed for some ticks, or the start. More of its own holds scans up: that is paid before all else. */
#define TW_TICKS_DEBT_USEC (5 * TW_USEC_PER_MSEC)
/* What all namespaces together may owe, and one that hurries still borrows. */
#define TW_DEBT_MAX_USEC (2 * TW_USEC_PER_SEC)
/*
 * So many may owe for what was routine, and so much together, before nobody else begins any: what a scan costs is known
 * only once it is done, and what has become dear has become so for all. One that owes much delays none of the others.
 */
#define TW_DEBTORS_MAX 5
#define TW_ROUTINE_DEBT_USEC (50 * TW_USEC_PER_MSEC)
/* Of sharing out: what is left after these nobody gets. */
#define TW_ROUNDS_MAX 4
/* Between two slices of a round the loop does what else there is to do. */
#define TW_SLICE_USEC (2 * TW_USEC_PER_MSEC)

/* CPU time of the loop since the last call. */
static usec_t take_cpu(struct tw_manager *manager)
{
	usec_t cpu_usec = manager->clock->read(manager->clock).cpu_usec;
	usec_t used_usec = tw_usec_since(cpu_usec, manager->booked_usec);

	manager->booked_usec = cpu_usec;
	return used_usec;
}

usec_t tw_manager_book(struct tw_manager *manager, struct tw_cpu_budget *budget)
{
	usec_t used_usec = take_cpu(manager);

	tw_cpu_budget_spend(budget ? budget : &manager->own, used_usec);
	manager->spent_usec = tw_usec_add(manager->spent_usec, used_usec);
	return used_usec;
}

/* ---- who pays, and who may go on */

/* What all owe, for routine and in all; how many these are, and how many owe for more than ticks. */
struct debt {
	usec_t owed_usec, all_usec;
	unsigned debtors;
	unsigned scanned;
};

static void add_debt(const struct tw_cpu_budget *budget, struct debt *debt)
{
	debt->owed_usec = tw_usec_add(debt->owed_usec, budget->owed_usec);
	debt->all_usec = tw_usec_add(debt->all_usec, tw_cpu_budget_debt(budget));
	debt->debtors += tw_cpu_budget_debt(budget) > 0;
	debt->scanned += budget->owed_usec > TW_TICKS_DEBT_USEC;
}

/* Who may go on, as things stand: behind each payment and each piece of work. */
static struct debt weigh(struct tw_manager *manager)
{
	struct tw_registry *registry = &manager->registry;
	struct tw_scratch *room = &manager->room;
	struct debt debt = { 0 };

	add_debt(&manager->host->cpu_budget, &debt);
	add_debt(&registry->newcomers, &debt);
	for (unsigned i = 0; i < registry->count; i++)
		add_debt(&registry->entries[i]->watch.cpu_budget, &debt);
	room->overspent = manager->own.owed_usec > TW_TICKS_DEBT_USEC;
	room->overdrawn = debt.all_usec > TW_DEBT_MAX_USEC;
	room->pressed = debt.scanned > TW_DEBTORS_MAX && debt.owed_usec > TW_ROUTINE_DEBT_USEC;
	return debt;
}

/* Its part of what is left. */
static void pay_one(struct tw_cpu_budget *budget, usec_t *left_usec, unsigned *debtors)
{
	usec_t part_usec;

	if (tw_cpu_budget_debt(budget) == 0 || *debtors == 0)
		return;
	part_usec = *left_usec / (*debtors)--;
	*left_usec -= part_usec - tw_cpu_budget_pay(budget, part_usec);
}

/*
 * All that the daemon uses counts: the budget is for the whole of it. What is no namespace's is paid first, and what is
 * left in equal shares, so that none can use up what belongs to the others.
 */
static void pay(struct tw_manager *manager, usec_t now_usec)
{
	struct tw_registry *registry = &manager->registry;
	usec_t left_usec = tw_income_take(&manager->income, manager->settings->cpu_budget_milli, now_usec);
	unsigned debtors;

	left_usec = tw_cpu_budget_pay(&manager->own, left_usec);
	/* What those that owe little leave over is for the others: in each round some are done. */
	for (unsigned round = 0; round < TW_ROUNDS_MAX && left_usec > 0; round++) {
		debtors = weigh(manager).debtors;
		pay_one(&manager->host->cpu_budget, &left_usec, &debtors);
		pay_one(&registry->newcomers, &left_usec, &debtors);
		for (unsigned i = 0; i < registry->count; i++)
			pay_one(&registry->entries[i]->watch.cpu_budget, &left_usec, &debtors);
	}
	(void)weigh(manager);
}

/* ---- whose turn it is */

/* What hurries is first, then what was counted longest ago. */
static bool goes_before(const struct tw_watch *a, const struct tw_watch *b)
{
	return a->hurries != b->hurries ? a->hurries : a->sample.census.at_usec < b->sample.census.at_usec;
}

static struct tw_watch *find_next(struct tw_manager *manager, usec_t now_usec)
{
	struct tw_watch *next = NULL;
	unsigned late = 0;

	for (unsigned i = 0; i < tw_manager_count(manager); i++) {
		struct tw_watch *watch = tw_manager_watch(manager, i);

		if (tw_watch_may_begin(watch)) {
			if (!next || goes_before(watch, next))
				next = watch;
		} else if (watch->scan_due && watch->scan_late) {
			if (watch == manager->host)
				tw_watch_tell_stretch(watch, manager->settings, now_usec);
			else
				late++;
		}
	}
	tw_registry_tell_stretch(&manager->registry, late, manager->settings, now_usec);
	return next;
}

/* One thing at a time: a look for namespaces, a scan or a search. */
static void begin_next(struct tw_manager *manager, struct tw_time time)
{
	struct tw_watch *next;

	if (tw_manager_busy(manager))
		return;
	if (tw_registry_look_is_due(&manager->registry, manager->settings, time.now_usec)) {
		tw_registry_begin_look(&manager->registry, manager->settings, time.now_usec);
		return;
	}
	next = find_next(manager, time.now_usec);
	if (next && tw_watch_begin(next, time))
		manager->working = next;
}

bool tw_manager_busy(const struct tw_manager *manager)
{
	return manager->working || manager->registry.looking;
}

/* ---- ticks */

static int tick_host(struct tw_manager *manager, struct tw_time time)
{
	struct tw_watch *host = manager->host;
	int r;

	(void)tw_manager_book(manager, NULL);
	r = tw_watch_tick(host, manager->settings, time);
	host->sample.cost.tick_usec = tw_manager_book(manager, NULL);
	return r;
}

/* It stands with the first namespace, which need not be the host's. */
static void note_total(struct tw_manager *manager)
{
	if (tw_manager_count(manager) > 0)
		tw_manager_watch(manager, 0)->sample.cost.total_usec = manager->spent_usec;
}

/* As it was lately, from round to round: what is left of the budget is for the namespaces. */
static void note_own_cost(struct tw_manager *manager)
{
	usec_t cost_usec = tw_usec_since(manager->own.spent_usec, manager->own_before_usec);
	usec_t *lately_usec = &manager->registry.own_cost_usec;

	*lately_usec = *lately_usec - *lately_usec / 8 + cost_usec / 8;
	manager->own_before_usec = manager->own.spent_usec;
}

int tw_manager_tick(struct tw_manager *manager)
{
	struct tw_time time = manager->clock->read(manager->clock);
	int r = 0;

	manager->sliced_usec = time.now_usec;
	if (!manager->round_goes_on) {
		manager->round_usec = time.now_usec;
		if (manager->host_watched)
			r = tick_host(manager, time);
		else
			tw_watch_give_up(manager->host);
		manager->missed = r < 0 ? manager->missed + 1 : 0;
	}
	if (!manager->round_goes_on)
		note_own_cost(manager);
	/* Before others are taken up, which may be called the same. */
	tw_registry_let_go(&manager->registry, manager->settings, time.now_usec);
	manager->round_goes_on = tw_registry_tick(&manager->registry, manager->settings, time, &manager->account);
	(void)tw_manager_book(manager, NULL);
	note_total(manager);
	pay(manager, time.now_usec);
	begin_next(manager, time);
	return manager->missed > TW_MANAGER_MISSED_MAX ? -EIO : 0;
}

static usec_t shortest_interval(const struct tw_manager *manager)
{
	usec_t interval_usec = manager->settings->interval_usec;

	for (unsigned i = 0; i < tw_manager_count(manager); i++)
		interval_usec =
			TW_MIN(interval_usec, tw_watch_interval(tw_manager_watch(manager, i), manager->settings));
	return interval_usec;
}

usec_t tw_manager_interval(const struct tw_manager *manager)
{
	usec_t next_usec = tw_usec_add(manager->round_usec, shortest_interval(manager));

	if (manager->round_goes_on)
		return TW_SLICE_USEC;
	return TW_MAX(tw_usec_since(next_usec, manager->sliced_usec), TW_SLICE_USEC);
}

/* ---- work */

static bool work_on_scan(struct tw_manager *manager, struct tw_time time)
{
	struct tw_watch *watch = manager->working;
	bool more = tw_watch_work(watch, manager->settings, time);

	if (manager->room.worker)
		(void)tw_manager_book(manager, NULL);
	else
		tw_watch_charge(watch, take_cpu(manager));
	if (!tw_watch_busy(watch)) {
		manager->working = NULL;
		manager->spent_usec = tw_usec_add(manager->spent_usec, watch->job_cost_usec);
	}
	return more;
}

/* It is no namespace's. */
static bool work_on_look(struct tw_manager *manager, struct tw_time time)
{
	usec_t cpu_usec;
	bool more = tw_registry_work(&manager->registry, manager->settings, time.now_usec, &cpu_usec);

	tw_cpu_budget_spend(&manager->own, cpu_usec);
	manager->spent_usec = tw_usec_add(manager->spent_usec, cpu_usec);
	return more;
}

bool tw_manager_work(struct tw_manager *manager)
{
	struct tw_time time = manager->clock->read(manager->clock);
	bool more;

	if (!tw_manager_busy(manager))
		return false;
	(void)tw_manager_book(manager, NULL);
	if (manager->working)
		more = work_on_scan(manager, time);
	else
		more = work_on_look(manager, time);
	if (!tw_manager_busy(manager)) {
		(void)weigh(manager);
		begin_next(manager, time);
		more = tw_manager_busy(manager);
	}
	return more && !manager->room.worker;
}

bool tw_manager_begin(struct tw_manager *manager)
{
	bool wide = tw_namespace_list_is_wide(&manager->settings->namespaces);
	int r;

	manager->room.starting = true;
	/* The first round looks for namespaces, the second takes them up and looks at them. */
	for (unsigned round = 0; round < (wide ? 2 : 1); round++) {
		do {
			r = tw_manager_tick(manager);
			while (r >= 0 && tw_manager_work(manager))
				;
		} while (r >= 0 && manager->round_goes_on);
	}
	manager->room.starting = false;
	/* A start is once, and who comes next, or hurries, is not to wait for it. */
	manager->registry.newcomers.owed_usec = 0;
	return !manager->host_watched || manager->host->sample.survey.at_usec != 0;
}
