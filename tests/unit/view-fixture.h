/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "remote/snapshot-read.h"

#include <string.h>

/* A namespace with a raised rule and its change, one yielded, a leak, a busy listener and what is not known. */
#define VIEW_NAMESPACE(name, destinations)                                                                             \
	"{\"name\":\"" name "\",\"states\":{\"established\":12,\"time-wait\":3866},\"metrics\":{\"port-use\":47.2},"   \
	"\"destinations\":[" destinations "],\"listeners\":[{\"address\":\"0.0.0.0:80\",\"queue\":64,\"backlog\":"     \
	"128,\"connections\":9},{\"address\":\"[::1]:443\",\"queue\":3,\"backlog\":0}],\"close-wait\":[{\"unit\":"     \
	"\"web.service\",\"count\":39,\"oldest\":71.2,\"unread\":10},{\"unit\":null,\"count\":2}],\"bound\":["         \
	"{\"unit\":\"web.service\",\"sockets\":1},{\"unit\":\"dns.service\",\"sockets\":8}],\"rules\":[{\"name\":"     \
	"\"small\",\"state\":\"raised\",\"severity\":\"notice\",\"since\":900,\"metric\":\"port-use\",\"value\":"      \
	"47.2,\"raise\":45},{\"name\":\"young\",\"state\":\"raised\",\"severity\":\"error\",\"since\":1,"              \
	"\"finding\":\"it is bad\"},{\"name\":\"ports\",\"state\":\"clearing\",\"severity\":\"error\",\"since\":"      \
	"60,\"finding\":\"it was bad\"},{\"name\":\"quiet\",\"state\":\"normal\",\"severity\":\"critical\"}],"         \
	"\"changes\":[{\"sysctl\":\"net.ipv4.tcp_tw_reuse\",\"baseline\":\"2\",\"value\":\"1\",\"owner\":\"ours\","    \
	"\"rule\":\"ports\"},{\"sysctl\":\"net.ipv4.tcp_fin_timeout\",\"baseline\":\"60\",\"value\":\"30\","           \
	"\"owner\":\"yielded\",\"rule\":\"ports\"}],\"ages\":{\"gauge\":0.2,\"survey\":42.7},\"cost\":{\"tick\":0.04}" \
	"}"

#define VIEW_TO(address, ports)                                                                         \
	"{\"source\":\"10.0.0.1\",\"destination\":\"" address "\",\"ports\":" ports ",\"time-wait\":7," \
	"\"port-use\":3.5}"
#define VIEW_DESTINATIONS VIEW_TO("10.0.0.9:80", "100") "," VIEW_TO("10.0.0.2:443", "300") "," VIEW_TO("x:1", "null")

#define VIEW(namespaces) \
	"{\"version\":\"0.1.0\",\"mode\":\"observe\",\"started\":1000,\"now\":1090,\"namespaces\":[" namespaces "]}"

/* The caller frees; NULL where it is no snapshot. */
static inline struct tw_view *view_of(const char *json)
{
	struct tw_view *view = NULL;

	(void)tw_snapshot_read(json, strlen(json), &view);
	return view;
}
