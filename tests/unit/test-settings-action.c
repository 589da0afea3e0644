/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "settings-table.h"

#define BUCKETS "net.ipv4.tcp_max_tw_buckets"
#define FIN "net.ipv4.tcp_fin_timeout"
#define RANGE "net.ipv4.ip_local_port_range"
#define BAD_STEP(high) \
	"expected a step such as x2 (above x1, up to x10, three decimals), +4096 or -5 (up to " high "), found "
#define BAD_SPAN "every: expected a time span such as 30s, from 1s to 1d\n"
#define NOT_LOW(low, high) "limit: " FIN " takes a number from " low " to " high "\n"
#define ALLOW "[destroy]\nallow = time-wait close-wait\n"
#define OLDER_TW "time-wait takes 'older-than SPAN', a time span from 1s to 59s\n"
#define OLDER_CW "close-wait takes 'older-than SPAN', a time span from 10s to 4w\n"
#define FOUR_TW                                                                                               \
	"destroy=time-wait older-than 1s\ndestroy=time-wait older-than 2s\ndestroy=time-wait older-than 3s\n" \
	"destroy=time-wait older-than 4s\n"

static const struct row rows[] = {
	/* step */
	{ "steps", RULE "step = " BUCKETS " x2 limit 1048576 every 30s\nstep=net/ipv4/tcp_fin_timeout -5 limit 20\n",
	  NULL, "", "daemon:\nr: time-wait 9 1 step:" BUCKETS "x2..1048576/30s step:" FIN "-5..20/30s\n" },
	{ "steps in other words",
	  RULE "step=" BUCKETS " +4096 every 1min 30s limit 16777216 ; x\nstep=" FIN " x1.001 limit 3600 every 1d\n"
	       "step=net.ipv4.tcp_max_orphans x10 limit 1024 every 1s\n",
	  NULL, "",
	  "daemon:\nr: time-wait 9 1 step:" BUCKETS "+4096..16777216/1min 30s step:" FIN "x1.001..3600/1d "
	  "step:net.ipv4.tcp_max_orphansx10..1024/1s\n" },
	{ "step of too few words", RULE "step=" FIN "\n", NULL,
	  "a:5: step = '" FIN "': expected SYSCTL STEP limit LIMIT every SPAN, such as " BUCKETS
	  " x2 limit 1048576 every 30s\n",
	  NULL },
	{ "step of an unknown sysctl", RULE "step=tcp_fin_timeout x2 limit 60\n", NULL,
	  "a:5: step = 'tcp_fin_timeout x2 limit 60': timewaitd knows no sysctl 'tcp_fin_timeout'; did you mean '" FIN
	  "'?\n",
	  NULL },
	{ "step of a range", RULE "step=" RANGE " x2 limit 60000\n", NULL,
	  "a:5: step = '" RANGE " x2 limit 60000': timewaitd does not change " RANGE
	  "; set it for good in a file of /etc/sysctl.d\n",
	  NULL },
	{ "step of a range in a drop-in", RULE, "[rule r]\nstep=" RANGE " +100 limit 65535\n",
	  "b:2: step = '" RANGE " +100 limit 65535': timewaitd does not change " RANGE
	  "; set it for good in a file of /etc/sysctl.d\n",
	  NULL },
	{ "set of a range beside a step", RULE "set=" RANGE "=1024 65535\nstep=" FIN " -5 limit 20\n", NULL, "",
	  "daemon:\nr: time-wait 9 1 step:" FIN "-5..20/30s\nskipped: " RANGE " of r, a:5\n" },
	{ "factors",
	  RULE "step=" FIN " x1 limit 60\nstep=" FIN " x10.001 limit 60\nstep=" FIN " x limit 60\nstep=" FIN
	       " x-2 limit 60\nstep=" FIN " x1.0005 limit 60\nstep=" FIN " 2 limit 60\n",
	  NULL,
	  "a:5: step = '" FIN " x1 limit 60': " BAD_STEP(
		  "3600") "'x1'\n"
			  "a:6: step = '" FIN " x10.001 limit 60': " BAD_STEP(
				  "3600") "'x10.001'\n"
					  "a:7: step = '" FIN " x limit 60': " BAD_STEP(
						  "3600") "'x'\n"
							  "a:8: step = '" FIN " x-2 limit 60': " BAD_STEP(
								  "3600") "'x-2'\n"
									  "a:9: step = '" FIN
									  " x1.0005 limit 60': " BAD_STEP(
										  "3600") "'x1.0005'\n"
											  "a:10: step = '" FIN
											  " 2 limit 60': " BAD_STEP(
												  "3600") "'2'\n",
	  NULL },
	{ "summands", RULE "step=" FIN " +0 limit 60\nstep=" FIN " -3601 limit 60\nstep=" FIN " +-1 limit 60\n", NULL,
	  "a:5: step = '" FIN " +0 limit 60': " BAD_STEP(
		  "3600") "'+0'\n"
			  "a:6: step = '" FIN " -3601 limit 60': " BAD_STEP(
				  "3600") "'-3601'\n"
					  "a:7: step = '" FIN " +-1 limit 60': " BAD_STEP("3600") "'+-1'\n",
	  NULL },
	{ "a raise-only one downwards", RULE "step=" BUCKETS " -1 limit 1024\n", NULL,
	  "a:5: step = '" BUCKETS " -1 limit 1024': " BUCKETS
	  " is never lowered below what it was; expected xFACTOR or "
	  "+NUMBER\n",
	  NULL },
	{ "limits",
	  RULE "step=" FIN " x2\nstep=" FIN " -5 every 1s\nstep=" FIN " x2 limit 4\nstep=" FIN " x2 limit 3601\n", NULL,
	  "a:5: step = '" FIN " x2': expected a limit, such as 'limit 3600': no step goes beyond it\n"
	  "a:6: step = '" FIN " -5 every 1s': expected a limit, such as 'limit 5': no step goes beyond it\n"
	  "a:7: step = '" FIN " x2 limit 4': " NOT_LOW("5", "3600") "a:8: step = '" FIN
								    " x2 limit 3601': " NOT_LOW("5", "3600"),
	  NULL },
	{ "spans",
	  RULE "step=" FIN " x2 limit 60 every 999ms\nstep=" FIN " x2 limit 60 every 25h\nstep=" FIN
	       " x2 limit 60 every soon\n",
	  NULL,
	  "a:5: step = '" FIN " x2 limit 60 every 999ms': " BAD_SPAN "a:6: step = '" FIN
	  " x2 limit 60 every 25h': " BAD_SPAN "a:7: step = '" FIN " x2 limit 60 every soon': " BAD_SPAN,
	  NULL },
	{ "clauses",
	  RULE "step=" FIN " x2 limt 60\nstep=" FIN " x2 limit 60 evry 30s\nstep=" FIN
	       " x2 every 1min limits 60\nstep=" FIN " x2 limit 60 limit 70\nstep=" FIN " x2 limit every 30s\nstep=" FIN
	       " x2 limit\nstep=" FIN " x2 up to 60\n",
	  NULL,
	  "a:5: step = '" FIN " x2 limt 60': expected limit or every, found 'limt'; did you mean 'limit'?\n"
	  "a:6: step = '" FIN " x2 limit 60 evry 30s': expected limit or every, found 'evry'; did you mean 'every'?\n"
	  "a:7: step = '" FIN
	  " x2 every 1min limits 60': expected limit or every, found 'limits'; did you mean 'limit'?\n"
	  "a:8: step = '" FIN " x2 limit 60 limit 70': 'limit' stands there twice\n"
	  "a:9: step = '" FIN " x2 limit every 30s': expected a value behind 'limit'\n"
	  "a:10: step = '" FIN " x2 limit': expected a value behind 'limit'\n"
	  "a:11: step = '" FIN " x2 up to 60': expected limit or every, found 'up'\n",
	  NULL },
	{ "set and step of one sysctl",
	  RULE "set=" FIN "=30\nstep=" FIN " x2 limit 60\n[rule s]\nmetric=bound\nraise=9\nclear=1\nstep=" FIN
	       " x2 limit 60\nstep=" FIN " +1 limit 60\nset=" FIN "=30\n",
	  NULL,
	  "a:6: step = '" FIN " x2 limit 60': the rule sets " FIN " already\n"
	  "a:12: step = '" FIN " +1 limit 60': the rule steps " FIN " already\n"
	  "a:13: set = '" FIN "=30': the rule steps " FIN " already\n",
	  NULL },
	{ "a comment behind a step", RULE "step=" FIN " x2 limit 60 # slowly\n", NULL,
	  "a:5: step = '" FIN
	  " x2 limit 60 # slowly': expected limit or every, found '#' (a comment behind a value begins "
	  "with ' ;')\n",
	  NULL },
	/* a drop-in replaces what is of its kind, or of the same sysctl */
	{ "a drop-in's step",
	  RULE "step=" FIN " x2 limit 60\nset=net.ipv4.tcp_tw_reuse=1\nstep=" BUCKETS " x2 limit 2048\n",
	  "[rule r]\nstep=" BUCKETS " x3 limit 4096\n", "",
	  "daemon:\nr: time-wait 9 1 net.ipv4.tcp_tw_reuse=1 step:" BUCKETS "x3..4096/30s\n" },
	{ "a drop-in's set in place of a step", RULE "step=" FIN " x2 limit 60\nstep=" BUCKETS " x2 limit 2048\n",
	  "[rule r]\nset=" FIN "=30\n", "", "daemon:\nr: time-wait 9 1 step:" BUCKETS "x2..2048/30s " FIN "=30\n" },
	{ "a drop-in's mistake", RULE "step=" FIN " x2 limit 60\n",
	  "[rule r]\nset=" FIN "=30\nstep=" FIN " x2 limit 90\n",
	  "b:3: step = '" FIN " x2 limit 90': the rule sets " FIN " already\n", NULL },
	{ "a drop-in's destroy", ALLOW RULE FOUR_TW "set=" FIN "=30\n",
	  "[rule r]\ndestroy=close-wait older-than 1min\n", "",
	  "daemon: destroy-time-wait destroy-close-wait\nr: time-wait 9 1 " FIN
	  "=30 destroy:close-wait>1min:0 max=1000\n" },
	/* destroy */
	{ "destroys",
	  ALLOW RULE "destroy = time-wait older-than 30s port 80 destination [::1]:443 max 5000/s\n"
		     "destroy=time-wait destination 10.0.0.2 older-than 1s\n"
		     "destroy=close-wait older-than 1 h 30 min unit web.service port 65535 max 100000/s ; x\n"
		     "destroy=close-wait max 1/s older-than 10s\n",
	  NULL, "",
	  "daemon: destroy-time-wait destroy-close-wait\nr: time-wait 9 1 "
	  "destroy:time-wait>30s:80 [::1]:443 max=5000 destroy:time-wait>1s:0 10.0.0.2:0 max=1000 "
	  "destroy:close-wait>1h 30min:65535 web.service max=100000 destroy:close-wait>10s:0 max=1\n" },
	{ "states",
	  ALLOW RULE
	  "destroy=time_wait older-than 30s\ndestroy=established older-than 30s\ndestroy=TIME-WAIT older-than "
	  "30s\n",
	  NULL,
	  "a:7: destroy = 'time_wait older-than 30s': expected time-wait or close-wait, found 'time_wait'; did you "
	  "mean "
	  "'time-wait'?\n"
	  "a:8: destroy = 'established older-than 30s': expected time-wait or close-wait, found 'established'\n"
	  "a:9: destroy = 'TIME-WAIT older-than 30s': expected time-wait or close-wait, found 'TIME-WAIT'\n",
	  NULL },
	{ "ages",
	  ALLOW RULE "destroy=time-wait\ndestroy=time-wait older-than 1min\ndestroy=time-wait older-than 999ms\n"
		     "destroy=close-wait older-than 9s\ndestroy=close-wait older-than 29d\n",
	  NULL,
	  "a:7: destroy = 'time-wait': " OLDER_TW "a:8: destroy = 'time-wait older-than 1min': " OLDER_TW
	  "a:9: destroy = 'time-wait older-than 999ms': " OLDER_TW
	  "a:10: destroy = 'close-wait older-than 9s': " OLDER_CW
	  "a:11: destroy = 'close-wait older-than 29d': " OLDER_CW,
	  NULL },
	{ "clauses of destroy",
	  ALLOW RULE "destroy=time-wait older 30s\ndestroy=time-wait older-than 30s unit web.service\n"
		     "destroy=close-wait older-than 1min destination ::1\ndestroy=time-wait older-than 30s prt 80\n"
		     "destroy=close-wait older-than 1min unit web\ndestroy=time-wait older-than 30s destination *:80\n",
	  NULL,
	  "a:7: destroy = 'time-wait older 30s': expected older-than, port, max or destination, found 'older'\n"
	  "a:8: destroy = 'time-wait older-than 30s unit web.service': expected older-than, port, max or destination, "
	  "found 'unit'\n"
	  "a:9: destroy = 'close-wait older-than 1min destination ::1': expected older-than, port, max or unit, found "
	  "'destination'\n"
	  "a:10: destroy = 'time-wait older-than 30s prt 80': expected older-than, port, max or destination, found "
	  "'prt'; "
	  "did you mean 'port'?\n"
	  "a:11: destroy = 'close-wait older-than 1min unit web': expected the whole name of a systemd unit such as "
	  "web.service; did you mean 'web.service'?\n"
	  "a:12: destroy = 'time-wait older-than 30s destination *:80': expected an address, with a port or without "
	  "one, "
	  "such as 10.0.0.2:443 or [2001:db8::2]:443\n",
	  NULL },
	{ "figures of destroy",
	  ALLOW RULE "destroy=time-wait older-than 30s port 0\ndestroy=time-wait older-than 30s port 65536\n"
		     "destroy=time-wait older-than 30s max 0/s\ndestroy=time-wait older-than 30s max 100001/s\n"
		     "destroy=time-wait older-than 30s max 1.5/s\ndestroy=time-wait older-than 30s max 5\n",
	  NULL,
	  "a:7: destroy = 'time-wait older-than 30s port 0': port: expected a local port from 1 to 65535\n"
	  "a:8: destroy = 'time-wait older-than 30s port 65536': port: expected a local port from 1 to 65535\n"
	  "a:9: destroy = 'time-wait older-than 30s max 0/s': max: expected whole sockets a second, from 1/s to "
	  "100000/s\n"
	  "a:10: destroy = 'time-wait older-than 30s max 100001/s': max: expected whole sockets a second, from 1/s to "
	  "100000/s\n"
	  "a:11: destroy = 'time-wait older-than 30s max 1.5/s': max: expected whole sockets a second, from 1/s to "
	  "100000/s\n"
	  "a:12: destroy = 'time-wait older-than 30s max 5': max: expected whole sockets a second, from 1/s to "
	  "100000/s\n",
	  NULL },
	/* [destroy] */
	{ "not allowed",
	  RULE "destroy=time-wait older-than 30s\n[destroy]\nallow=close-wait\n[rule s]\nmetric=bound\n"
	       "raise=9\nclear=1\ndestroy=close-wait older-than 30s\n",
	  NULL, "a:5: ending sockets in TIME-WAIT takes 'allow = time-wait' in [destroy]\n", NULL },
	{ "nothing allowed", RULE "destroy=close-wait older-than 30s\n", NULL,
	  "a:5: ending sockets in CLOSE-WAIT takes 'allow = close-wait' in [destroy]\n", NULL },
	{ "allowed by a drop-in", RULE "destroy=time-wait older-than 30s\n", "[destroy]\nallow = time-wait\n", "",
	  "daemon: destroy-time-wait\nr: time-wait 9 1 destroy:time-wait>30s:0 max=1000\n" },
	{ "forbidden by a drop-in", ALLOW RULE "destroy=time-wait older-than 30s\n", "[destroy]\nallow = close-wait\n",
	  "a:7: ending sockets in TIME-WAIT takes 'allow = time-wait' in [destroy]\n", NULL },
	{ "no second problem of a bad allow",
	  "[destroy]\nallow=time-wait,close-wait\n" RULE "destroy=time-wait older-than 3s\n", NULL,
	  "a:2: allow = 'time-wait,close-wait': expected time-wait, close-wait or both, found 'time-wait,close-wait'\n",
	  NULL },
	{ "near allow", "[destroy]\nallow=close-wait time-wai\nallows=x\nset=x\nallow=\n[destroy]\n[destory]\n", NULL,
	  "a:2: allow = 'close-wait time-wai': expected time-wait, close-wait or both, found 'time-wai'; did you mean "
	  "'time-wait'?\n"
	  "a:3: unknown key 'allows' in [destroy]; did you mean 'allow'?\n"
	  "a:4: unknown key 'set' in [destroy]; it belongs into [rule NAME]\n"
	  "a:5: 'allow' again in [destroy]; it stands in line 2 already\n"
	  "a:6: [destroy] again; it stands in line 1 already\n"
	  "a:7: unknown section [destory]; did you mean [destroy]?\n",
	  NULL },
	{ "allow where it does not belong", RULE "allow=time-wait\n[daemon]\nallow=time-wait\n", NULL,
	  "a:5: unknown key 'allow' in [rule r]; it belongs into [destroy]\n"
	  "a:7: unknown key 'allow' in [daemon]; it belongs into [destroy]\n",
	  NULL },
	{ "too many destroys",
	  ALLOW RULE FOUR_TW FOUR_TW "[rule s]\nmetric=bound\nraise=9\nclear=1\n" FOUR_TW FOUR_TW
				     "[rule t]\nmetric=bound\nraise=9\nclear=1\n" FOUR_TW,
	  NULL, "a:31: this is one 'destroy' too many; expected at most 16 of all rules together\n", NULL },
};

int main(void)
{
	return run_rows("settings-action", rows, TW_ARRAY_SIZE(rows), NULL, 0);
}
