/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/manager.h"

#include <errno.h>
#include <string.h>

/* A debt of no account: for some ticks, or cheap scans. More of the daemon's own holds scans up: it is paid first. */
#define SMALL_DEBT_USEC (5 * TW_USEC_PER_MSEC)
/* What all namespaces together may owe, and one that hurries still borrows. */
#define CREDIT_USEC (2 * TW_USEC_PER_SEC)
/*
 * So many may owe more for what was routine, and so much together, before nobody else begins any: what a scan costs is
 * known only once it is done, and what has become dear has become so for all. One that owes much delays none of the
 * others.
 */
#define DEBTORS_MAX 5
#define ROUTINE_DEBT_USEC (50 * TW_USEC_PER_MSEC)
/* Of sharing out: what is left after these nobody gets. */
#define ROUNDS_MAX 4
/* This part of the budget pays for nothing: it is a limit, and what work costs is known only once it is done. */
#define ASIDE 20
/* A stretch that goes on is told again after this. */
#define STRETCH_REMIND_USEC TW_USEC_PER_HOUR

int tw_manager_init(struct tw_manager *manager, struct tw_settings *settings, const struct tw_manager_edges *edges,
		    const struct tw_hash_key *key)
{
	struct tw_time time = edges->clock->read(edges->clock);
	int r;

	memset(manager, 0, sizeof(*manager));
	manager->recorder = edges->host.recorder;
	manager->clock = manager->scratch.clock = edges->clock;
	manager->paid_until_usec = time.now_usec;
	manager->booked_usec = time.cpu_usec;
	manager->scratch.scan = tw_scan_new(key);
	manager->registry = (struct tw_registry){
		.discovery = edges->discovery,
		.scratch = &manager->scratch,
		.recorder = manager->recorder,
		.stretch = 1,
	};
	tw_watch_init(&manager->host, TW_NAMESPACE_HOST, &edges->host, &manager->scratch, settings);
	manager->host_watched = tw_namespace_list_has(&settings->namespaces, TW_NAMESPACE_HOST);
	/* What is given to be done is ready to act from the start: later there may be no memory for it. */
	r = manager->scratch.scan ? tw_watch_make_ready(&manager->host) : -ENOMEM;
	if (r < 0) {
		tw_manager_done(manager);
		return r;
	}
	manager->settings = settings;
	return 0;
}

void tw_manager_done(struct tw_manager *manager)
{
	struct tw_worker_end end;

	if (manager->worker && tw_manager_busy(manager)) {
		tw_worker_give_up(manager->worker);
		tw_worker_wait(manager->worker, &end);
	}
	tw_registry_done(&manager->registry);
	tw_watch_done(&manager->host);
	manager->scratch.scan = tw_scan_free(manager->scratch.scan);
	manager->settings = tw_settings_free(manager->settings);
}

/* ---- who pays, and who may go on */

/* CPU time of the loop since the last call. */
static usec_t take_cpu(struct tw_manager *manager)
{
	usec_t cpu_usec = manager->clock->read(manager->clock).cpu_usec;
	usec_t used_usec = tw_usec_since(cpu_usec, manager->booked_usec);

	manager->booked_usec = cpu_usec;
	manager->spent_usec += used_usec;
	return used_usec;
}

/* Returns what is left of the amount. */
static usec_t pay_off(usec_t *debt_usec, usec_t amount_usec)
{
	usec_t paid_usec = TW_MIN(*debt_usec, amount_usec);

	*debt_usec -= paid_usec;
	return amount_usec - paid_usec;
}

/* Of the host, of all newcomers together, and of each other namespace; NULL behind the last. */
static struct tw_debt *debt_of(struct tw_manager *manager, unsigned index)
{
	struct tw_registry *registry = &manager->registry;

	if (index < 2)
		return index == 0 ? &manager->host.debt : &registry->newcomers;
	return index - 2 < registry->count ? &registry->entries[index - 2]->watch.debt : NULL;
}

/* Who may go on, as things stand: behind each payment and each job. Returns how many owe anything. */
static unsigned weigh(struct tw_manager *manager)
{
	struct tw_scratch *scratch = &manager->scratch;
	usec_t owed_usec = 0, all_usec = 0;
	unsigned routine = 0, debtors = 0;
	struct tw_debt *debt;

	for (unsigned i = 0; (debt = debt_of(manager, i)); i++) {
		owed_usec += debt->owed_usec;
		all_usec += debt->owed_usec + debt->borrowed_usec;
		routine += debt->owed_usec > SMALL_DEBT_USEC;
		debtors += debt->owed_usec + debt->borrowed_usec > 0;
	}
	scratch->routine_waits =
		manager->owed_usec > SMALL_DEBT_USEC || (routine > DEBTORS_MAX && owed_usec > ROUTINE_DEBT_USEC);
	scratch->credit_is_used = all_usec > CREDIT_USEC;
	return debtors;
}

/*
 * All that the daemon uses counts: the budget is for the whole of it. What is no namespace's is paid first, and what is
 * left in equal shares, so that none can use up what belongs to the others. What those that owe little leave over is
 * for the others: in each round some are done. What nothing is owed for is not kept.
 */
static void pay(struct tw_manager *manager, usec_t now_usec)
{
	/* At most an hour counts: it pays off any debt, and the product below stays small. */
	usec_t span_usec = TW_MIN(tw_usec_since(now_usec, manager->paid_until_usec), TW_USEC_PER_HOUR);
	usec_t left_usec = span_usec * (uint64_t)manager->settings->cpu_budget_milli / 100000;

	manager->paid_until_usec = now_usec;
	left_usec = pay_off(&manager->owed_usec, left_usec - left_usec / ASIDE);
	for (unsigned round = 0; round < ROUNDS_MAX && left_usec > 0; round++) {
		unsigned debtors = weigh(manager);
		struct tw_debt *debt;

		for (unsigned i = 0; debtors > 0 && (debt = debt_of(manager, i)); i++) {
			usec_t part_usec = left_usec / debtors;

			if (debt->owed_usec + debt->borrowed_usec == 0)
				continue;
			debtors--;
			left_usec -= part_usec;
			left_usec += pay_off(&debt->borrowed_usec, pay_off(&debt->owed_usec, part_usec));
		}
	}
	(void)weigh(manager);
}

/* ---- whose turn it is */

/* What hurries is first, then what was counted longest ago. */
static bool goes_before(const struct tw_watch *a, const struct tw_watch *b)
{
	return a->hurries != b->hurries ? a->hurries : a->sample.census.at_usec < b->sample.census.at_usec;
}

/* Whether a scan is due, and by more than a whole `census`. */
static bool is_late(const struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	return watch->scan_due && now_usec >= tw_usec_add(watch->census_due_usec, settings->census_usec);
}

/* Scans come later than configured: of the host, or of so many others. At its beginning, and while it goes on. */
static void tell_stretch(struct tw_manager *manager, usec_t *told_usec, unsigned others, usec_t now_usec)
{
	char percent[32];
	struct tw_text text;

	if (*told_usec != 0 && tw_usec_since(now_usec, *told_usec) < STRETCH_REMIND_USEC)
		return;
	*told_usec = now_usec;
	tw_text_init(&text, percent, sizeof(percent));
	tw_text_add_milli(&text, manager->settings->cpu_budget_milli);
	if (others == 0)
		tw_recorder_tell(manager->recorder, TW_NAMESPACE_HOST, TW_EVENT_STRETCHED, TW_SEVERITY_WARNING,
				 "counting sockets costs more than cpu-budget = %s%% allows: census and survey come "
				 "later than configured; the gauge stays on time",
				 percent);
	else
		tw_recorder_tell(manager->recorder, TW_NAMESPACE_HOST, TW_EVENT_STRETCHED, TW_SEVERITY_WARNING,
				 "counting the sockets of %u network namespaces costs more than cpu-budget = %s%% "
				 "allows: census and survey of %u of them come later than configured",
				 manager->registry.count, percent, others);
}

static struct tw_watch *find_next(struct tw_manager *manager, usec_t now_usec)
{
	struct tw_watch *next = NULL;
	unsigned late = 0;

	for (unsigned i = 0; i < tw_manager_count(manager); i++) {
		struct tw_watch *watch = tw_manager_watch(manager, i);
		bool may_begin = tw_watch_may_begin(watch, now_usec), is_host = watch == &manager->host;

		if (may_begin && (!next || goes_before(watch, next)))
			next = watch;
		if (!is_late(watch, manager->settings, now_usec)) {
			if (is_host && may_begin && watch->debt.owed_usec + watch->debt.borrowed_usec == 0)
				manager->host_stretch_told_usec = 0;
		} else if (!may_begin) {
			late += !is_host;
			if (is_host)
				tell_stretch(manager, &manager->host_stretch_told_usec, 0, now_usec);
		}
	}
	if (late > 0)
		tell_stretch(manager, &manager->others_stretch_told_usec, late, now_usec);
	return next;
}

/* One job at a time: a look for namespaces, a scan or a search. */
static void begin_next(struct tw_manager *manager, usec_t now_usec)
{
	struct tw_registry *registry = &manager->registry;
	struct tw_watch *next;

	if (tw_manager_busy(manager))
		return;
	if (!tw_registry_begin_look(registry, manager->settings, now_usec)) {
		next = find_next(manager, now_usec);
		if (!next || !tw_watch_begin(next, manager->settings, now_usec))
			return;
		manager->working = next;
	}
	manager->job_cpu_usec = 0;
	if (manager->worker && manager->working)
		tw_worker_start(manager->worker, tw_watch_step, manager->working);
	else if (manager->worker)
		tw_worker_start(manager->worker, tw_registry_step, registry);
}

bool tw_manager_busy(const struct tw_manager *manager)
{
	return manager->working || manager->registry.looking;
}

/* ---- ticks */

int tw_manager_tick(struct tw_manager *manager)
{
	usec_t now_usec = manager->clock->read(manager->clock).now_usec, others_usec;
	int r = 0;

	if (manager->host_watched)
		r = tw_watch_tick(&manager->host, manager->settings, now_usec);
	else
		tw_watch_give_up(&manager->host);
	manager->missed = r < 0 ? manager->missed + 1 : 0;
	others_usec = tw_registry_tick(&manager->registry, manager->settings, now_usec);
	tw_debt_owe(&manager->owed_usec, tw_usec_since(take_cpu(manager), others_usec));
	/* It stands with the first namespace, which need not be the host's. */
	if (tw_manager_count(manager) > 0)
		tw_manager_watch(manager, 0)->sample.cost.total_usec = manager->spent_usec;
	pay(manager, now_usec);
	begin_next(manager, now_usec);
	return manager->missed > TW_MANAGER_MISSED_MAX ? -EIO : 0;
}

usec_t tw_manager_interval(struct tw_manager *manager)
{
	usec_t interval_usec = manager->settings->interval_usec;

	for (unsigned i = 0; i < tw_manager_count(manager); i++)
		interval_usec =
			TW_MIN(interval_usec, tw_watch_interval(tw_manager_watch(manager, i), manager->settings));
	return interval_usec;
}

/* ---- work */

/* A look is no namespace's. A start is once, and who comes next, or hurries, is not to wait for what it cost. */
static void charge(struct tw_manager *manager, usec_t cpu_usec)
{
	const struct tw_watch *watch = manager->working;

	if (!watch)
		tw_debt_owe(&manager->owed_usec, cpu_usec);
	else if (!manager->scratch.starting)
		tw_debt_owe(watch->job_borrows ? &watch->charged->borrowed_usec : &watch->charged->owed_usec, cpu_usec);
}

/* A step of it in place, where no worker does it. Returns whether it has ended. */
static bool has_ended(struct tw_manager *manager, struct tw_worker_end *ret)
{
	int r;

	if (manager->worker) {
		if (!tw_worker_take(manager->worker, ret))
			return false;
		manager->spent_usec += ret->cpu_usec;
		return true;
	}
	tw_debt_owe(&manager->owed_usec, take_cpu(manager));
	r = manager->working ? tw_watch_step(manager->working) : tw_registry_step(&manager->registry);
	manager->job_cpu_usec += take_cpu(manager);
	*ret = (struct tw_worker_end){ .result = r, .cpu_usec = manager->job_cpu_usec };
	return r <= 0;
}

bool tw_manager_work(struct tw_manager *manager)
{
	struct tw_worker_end end;
	usec_t now_usec;

	if (!tw_manager_busy(manager))
		return false;
	if (!has_ended(manager, &end))
		return !manager->worker;
	now_usec = manager->clock->read(manager->clock).now_usec;
	charge(manager, end.cpu_usec);
	if (manager->working)
		tw_watch_end(manager->working, manager->settings, now_usec, end.result, end.cpu_usec);
	else
		tw_registry_end_look(&manager->registry, manager->settings, now_usec, end.result);
	manager->working = NULL;
	(void)weigh(manager);
	begin_next(manager, now_usec);
	return tw_manager_busy(manager) && !manager->worker;
}

bool tw_manager_begin(struct tw_manager *manager)
{
	bool wide = tw_namespace_list_is_wide(&manager->settings->namespaces);
	int r = 0;

	manager->scratch.starting = true;
	/* The first round looks for namespaces, the second takes them up and looks at them. */
	for (unsigned round = 0; round < (wide ? 2 : 1); round++) {
		r = tw_manager_tick(manager);
		while (r >= 0 && tw_manager_work(manager))
			;
	}
	manager->scratch.starting = false;
	return !manager->host_watched || manager->host.sample.survey.at_usec != 0;
}
