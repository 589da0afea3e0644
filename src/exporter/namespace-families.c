/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exporter/namespace-families.h"

#include "model/flow.h"
#include "model/metric.h"
#include "model/tunable.h"

/* Percent to a ratio, milliseconds to seconds. */
enum {
	AS_IT_IS = 0,
	OF_PERCENT = 2,
	OF_MILLISECONDS = 3,
};

void tw_sample_line_add(struct tw_sample_line *line, unsigned label_count, struct tw_value value, unsigned shift)
{
	tw_exposition_add(line->out, line->family, line->labels, label_count, value, shift);
}

static void add_partial(struct tw_sample_line *line, const struct tw_namespace_family *family,
			const struct tw_view_namespace *namespace, unsigned rows TW_UNUSED)
{
	tw_sample_line_add(line, 1, tw_value_of_truth(namespace->partial), family->shift);
}

/* All of them, always: a state that nothing is in is 0, and its series does not end. */
static void add_states(struct tw_sample_line *line, const struct tw_namespace_family *family,
		       const struct tw_view_namespace *namespace, unsigned rows TW_UNUSED)
{
	for (unsigned i = 0; i < TW_STATE_COUNT; i++) {
		line->labels[1] = (struct tw_label){ "state", tw_state_name((enum tw_state)i) };
		tw_sample_line_add(line, 2, namespace->states[i], family->shift);
	}
}

static void add_figure(struct tw_sample_line *line, const struct tw_namespace_family *family,
		       const struct tw_view_namespace *namespace, unsigned rows TW_UNUSED)
{
	tw_sample_line_add(line, 1, tw_figure_in(namespace, family), family->shift);
}

static void add_sysctl(struct tw_sample_line *line, const char *name, struct tw_value value)
{
	line->labels[1] = (struct tw_label){ "sysctl", name };
	tw_sample_line_add(line, 2, value, AS_IT_IS);
}

/* Those that this kernel has. */
static void add_sysctls(struct tw_sample_line *line, const struct tw_namespace_family *family TW_UNUSED,
			const struct tw_view_namespace *namespace, unsigned rows TW_UNUSED)
{
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++)
		if (namespace->sysctls[i].known)
			add_sysctl(line, tw_tunable_short_name((enum tw_tunable)i), namespace->sysctls[i]);
	add_sysctl(line, "ip_local_port_range_low", namespace->range_low);
	add_sysctl(line, "ip_local_port_range_high", namespace->range_high);
}

static void add_part(struct tw_sample_line *line, const char *part, struct tw_value value, unsigned shift)
{
	line->labels[1] = (struct tw_label){ "part", part };
	tw_sample_line_add(line, 2, value, shift);
}

static void add_ages(struct tw_sample_line *line, const struct tw_namespace_family *family,
		     const struct tw_view_namespace *namespace, unsigned rows TW_UNUSED)
{
	add_part(line, "gauge", namespace->age_gauge, family->shift);
	add_part(line, "census", namespace->age_census, family->shift);
	add_part(line, "survey", namespace->age_survey, family->shift);
}

static void add_costs(struct tw_sample_line *line, const struct tw_namespace_family *family,
		      const struct tw_view_namespace *namespace, unsigned rows TW_UNUSED)
{
	add_part(line, "gauge", namespace->cost_tick, family->shift);
	add_part(line, "census", namespace->cost_census, family->shift);
	add_part(line, "survey", namespace->cost_survey, family->shift);
}

#define FIGURE(member) .figure = offsetof(struct tw_view_namespace, member), .add = add_figure
#define RATIO(name, metric, text)                                                                           \
	{                                                                                                   \
		.family = { name "_ratio", "ratio", text, 0 }, .shift = OF_PERCENT, FIGURE(metrics[metric]) \
	}
#define SECONDS(name, metric, text)                                                        \
	{                                                                                  \
		.family = { name "_seconds", "seconds", text, 0 }, FIGURE(metrics[metric]) \
	}
#define COUNTER(name, counter, text)                                                         \
	{                                                                                    \
		.family = { name, NULL, text, TW_FAMILY_COUNTER }, FIGURE(counters[counter]) \
	}
/* One sample a row: of `table`, whose rows have the figure `member`. */
#define ROWS(name, unit, how, table, member, text)                                                      \
	{                                                                                               \
		.family = { name, unit, text, 0 },                                                      \
		.figure = offsetof(__typeof__(((struct tw_view_namespace *)0)->table.rows[0]), member), \
		.add = tw_rows_##how                                                                    \
	}

const struct tw_namespace_family tw_namespace_families[] = {
	{ .family = { "partial", NULL, "Whether a count is missing, or moved too much while it was made.", 0 },
	  .add = add_partial },
	{ .family = { "sockets", NULL, "TCP sockets by state, IPv4 and IPv6.", 0 }, .add = add_states },
	RATIO("port_use", TW_METRIC_PORT_USE,
	      "Local ports that a plain connect() to the busiest destination cannot take now, of the usable ones."),
	SECONDS("port_exhaustion", TW_METRIC_PORT_ETA,
		"Until the ports towards some destination run out, as they grow."),
	{ .family = { "usable_ports", NULL,
		      "Local ports that a plain connect() may choose from towards each destination: the range without "
		      "those that are reserved, of both parities.",
		      0 },
	  FIGURE(usable_ports) },
	{ .family = { "reserved_ports", NULL, "Ports of the range that ip_local_reserved_ports takes away.", 0 },
	  FIGURE(reserved_ports) },
	RATIO("time_wait_buckets", TW_METRIC_TIME_WAIT_BUCKETS, "TIME-WAIT sockets, of tcp_max_tw_buckets."),
	RATIO("orphans", TW_METRIC_ORPHANS, "Sockets that no process holds, of tcp_max_orphans."),
	RATIO("tcp_memory", TW_METRIC_TCP_MEMORY, "Memory of TCP, of the limit in tcp_mem."),
	RATIO("accept_queue", TW_METRIC_ACCEPT_QUEUE, "The fullest accept queue, of its backlog."),
	SECONDS("close_wait_oldest", TW_METRIC_CLOSE_WAIT_AGE, "Age of the oldest socket in CLOSE-WAIT."),
	COUNTER("time_wait_overflows", TW_COUNTER_TIME_WAIT_OVERFLOW, "TIME-WAIT sockets beyond tcp_max_tw_buckets."),
	COUNTER("listen_overflows", TW_COUNTER_LISTEN_OVERFLOW, "Connections that a full accept queue kept out."),
	COUNTER("listen_drops", TW_COUNTER_LISTEN_DROP, "Connections that a listener dropped, for whatever reason."),
	COUNTER("syn_cookies", TW_COUNTER_SYN_COOKIES, "SYN cookies sent, because a SYN queue was full."),
	COUNTER("connect_failures", TW_COUNTER_CONNECT_FAIL, "Connections that failed before they were established."),
	COUNTER("resets", TW_COUNTER_RESET, "Connections that were reset."),
	COUNTER("memory_aborts", TW_COUNTER_MEMORY_ABORT, "Connections aborted because memory of TCP ran out."),
	COUNTER("time_wait_reused", TW_COUNTER_TIME_WAIT_REUSED, "TIME-WAIT sockets whose port was used anew."),
	COUNTER("active_opens", TW_COUNTER_ACTIVE_OPEN, "Connections begun from here."),
	COUNTER("passive_opens", TW_COUNTER_PASSIVE_OPEN, "Connections begun from elsewhere."),
	{ .family = { "sysctl_value", NULL, "Sysctls as the kernel has them now.", 0 }, .add = add_sysctls },
	{ .family = { "age_seconds", "seconds", "How old the figures of each part are.", 0 }, .add = add_ages },
	{ .family = { "cost_seconds", "seconds", "CPU time that the last of each part took.", 0 },
	  .shift = OF_MILLISECONDS,
	  .add = add_costs },
	ROWS("destination_ports", NULL, destination, destinations, ports, "Local ports held towards a destination."),
	{ .family = { "destination_port_use_ratio", "ratio",
		      "Local ports that a plain connect() to a destination cannot take now, of the usable ones.", 0 },
	  .figure = offsetof(struct tw_view_destination, port_use),
	  .shift = OF_PERCENT,
	  .add = tw_rows_destination },
	{ .family = { "destination_sockets", NULL, "The sockets that hold these ports, by state.", 0 },
	  .add = tw_rows_destination_sockets },
	ROWS("listener_queue", NULL, listener, listeners, queue, "Connections that wait for accept()."),
	ROWS("listener_backlog", NULL, listener, listeners, backlog, "How many may wait."),
	ROWS("listener_connections", NULL, listener, listeners, connections, "Connections that came in by a listener."),
	ROWS("unit_close_wait_sockets", NULL, unit, units, count, "Sockets in CLOSE-WAIT of a systemd unit."),
	ROWS("unit_close_wait_oldest_seconds", "seconds", unit, units, oldest, "Age of the oldest of them."),
	ROWS("unit_bound_sockets", NULL, bound, bound, sockets, "Ports that a unit has bound and not connected."),
	{ .family = { "rule_raised", NULL, "Whether a rule is raised, or on its way back.", 0 },
	  .add = tw_rows_rule_raised },
	{ .family = { "rule_state", NULL, "The state of a rule: 1 for the one that it is in.", 0 },
	  .add = tw_rows_rule_state },
	ROWS("rule_value", NULL, rule, rules, value, "What a rule looks at, in its metric's own unit."),
	ROWS("rule_raise_level", NULL, rule, rules, raise, "Where it is raised, in the same unit."),
	ROWS("rule_clear_level", NULL, rule, rules, clear, "Where it is cleared, in the same unit."),
	{ .family = { "sysctl_changed", NULL, "Sysctls changed by the daemon, or then by somebody else.", 0 },
	  .add = tw_rows_changes },
};
const unsigned tw_namespace_family_count = TW_ARRAY_SIZE(tw_namespace_families);

void tw_namespace_family_add(struct tw_exposition *out, const struct tw_namespace_family *family,
			     const struct tw_metrics *metrics)
{
	const struct tw_view *view = metrics->view;
	struct tw_sample_line line = { .out = out, .family = &family->family };

	tw_exposition_begin(out, &family->family);
	for (unsigned i = 0; i < view->namespace_count; i++) {
		line.labels[0] = (struct tw_label){ "namespace", view->namespaces[i].name };
		family->add(&line, family, &view->namespaces[i], i == 0 ? metrics->top : metrics->top_other);
	}
}
