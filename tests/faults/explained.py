# SPDX-License-Identifier: GPL-2.0-or-later
"""What may fail without a word, what never fails, and what is not made to fail: each with the reason."""

# By a pattern in "PHASE THREAD CALL(OBJECT) ERROR in CALLERS". That nothing else changes is checked all the same.
HARMLESS = {
    r" close\(": "Linux lets go of the descriptor whatever close() says; what was written was made sure of before, by "
    "fsync() or by reading it back",
    r"in .*\btw_cgroup_source_unit\b": "the unit of a socket is not named; the next scan looks for it again",
    r"in default_options\b": "without the option --log, records would go to standard output",
    r" ENOMEM in (grow )?tw_close_wait_work_add\b": "a connection in CLOSE-WAIT whose age is not known is counted among the "
    "untracked, which `status` shows, and the next scan finds room for it",
    r" ENOMEM in .*\bwake gauge\b": "a namespace that rests is woken by the next tick",
    r"^start loop open\(/proc/.* in tw_proc_source_open open_files open_files wake wake gauge\b": "a namespace that has come "
    "to rest opens them anew when it wakes",
    r" calloc\(\) ENOMEM in libmnl tw_netlink_open renew_diag\b": "a scan that fails is made anew, and the third in a row "
    "that fails is told",
    r" fstatat\(~/state/ledger-N\) \w+ in (owes )?open_one\b": "the ledger is read then, whether it is there or not",
    r" ENOMEM in .*\bmake_acting tw_watch_make_ready\b": "what acts in a namespace is made when something is to be done "
    "there, and the next decision makes it",
    r"^reload loop pread\(/proc/sys/.* in .*\bread_slow\b": "the values of before stand until they are read again, some "
    "gauges later",
    r" uname\(\) .* in tw_kernel_source_tells_bound\b": "sockets that are only bound are not counted, as on an older "
    "kernel",
    r" getrandom\(\) .* in libsystemd\b": "libsystemd has another source for the keys of its tables",
    r"\b(strdup|malloc)\(\) ENOMEM in libsystemd (sd_event_add_signal|add_work|add_worker|add_timer)\b": "the name of "
    "an event source, for who debugs it",
    r"boot_id\) .* in .*\bsd_event_set_watchdog\b": "it spreads the wake-ups of many machines",
    r"\bENOMEM in sd_notifyf\b": "a word to the service manager: the next status stands for a lost one, and a READY=1 "
    "that does not come is told by the manager",
    r"^stop .* in libsystemd .*\b(sd_event_source_unref|tw_loop_run)\b": "the loop is taken down, and is gone with its "
    "descriptor in any case",
    r" ftruncate\(~/state/lock\) .* in tw_state_directory_close\b": "the number of a process that is no more; the lock "
    "itself goes with the descriptor",
}

# By call and object.
NEVER_FAILS = {
    ("read", "eventfd"): "Linux returns EAGAIN alone, while the count is 0: it is read when it can be read",
    ("write", "eventfd"): "Linux returns EAGAIN alone, when the count is at its maximum: here it is 1 at most",
}

# Behind these the process ends itself, for what it did next would be done to another machine's sockets and sysctls; what
# it changed, ExecStopPost= or the next start puts back.
FATAL = {("setns", "/proc/thread-self/ns/net"): "Linux lets nobody back into his own namespace"}

# What timewaitd, libmnl and inih import and inject*.c leaves alone, by reason.
NOT_INTERPOSED = {
    "it cannot fail": """
        __ctype_b_loc __cxa_finalize __errno_location __gmon_start__ __libc_start_main __stack_chk_fail
        abort bsearch getuid secure_getenv
        _ITM_deregisterTMCloneTable _ITM_registerTMCloneTable dirfd getenv getpid memchr memcmp memcpy memmove memrchr
        memmem memset qsort strcasecmp strchr strcmp strcspn strerror strlen strncmp strpbrk strrchr strspn strstr strtol strtoul inet_ntop snprintf vsnprintf""",
    "it answers wrong input with an error of its own, which the unit tests give it": "inet_pton getopt_long",
    "it fails for wrong arguments alone": """
        ioctl isatty mallopt pthread_attr_destroy pthread_attr_setstacksize pthread_join pthread_sigmask sem_init sigaction
        sigaddset sigemptyset sigfillset sigprocmask sysinfo""",
    "what a pattern cannot be is not taken for one": "fnmatch",
    "its failure is NULL, and the line stands without the time": "localtime_r",
    "its failure is NULL, and the units of sockets are not named": "setmntent getmntent_r endmntent",
    "where it fails there is no other place to say so": "fprintf fputs puts fwrite fflush",
    "it reads a text in memory": "ini_parse_stream",
    "not on the daemon's way: inih's for files, of which timewaitd reads none": "fopen fgets fclose",
    "it calls what is interposed, on the way of lives with a bus (test_hanging_bus.py); or it follows a bus's answer, and "
    "no life is as the one before then": """
        sd_bus_add_object_vtable sd_bus_attach_event sd_bus_call_method_async sd_bus_close_unref sd_bus_detach_event
        sd_bus_emit_properties_changed_strv sd_bus_emit_signal sd_bus_error_set sd_bus_get_n_queued_write
        sd_bus_match_signal_async sd_bus_message_append sd_bus_message_close_container sd_bus_message_enter_container
        sd_bus_message_exit_container sd_bus_message_get_bus sd_bus_message_get_error sd_bus_message_get_member
        sd_bus_message_get_sender sd_bus_message_is_method_error sd_bus_message_new_method_return
        sd_bus_message_open_container sd_bus_message_read sd_bus_message_ref sd_bus_message_skip sd_bus_message_unref
        sd_bus_new sd_bus_object_vtable_format sd_bus_reply_method_errno sd_bus_reply_method_errorf
        sd_bus_reply_method_return sd_bus_request_name_async sd_bus_send sd_bus_set_address sd_bus_set_bus_client
        sd_bus_set_close_on_exit sd_bus_set_method_call_timeout sd_bus_set_watch_bind sd_bus_slot_unref
        sd_bus_start""",
    "it calls what is interposed": """
        mnl_socket_bind mnl_socket_close mnl_socket_get_fd mnl_socket_open2 mnl_socket_sendto mnl_socket_setsockopt
        sd_event_add_defer sd_event_add_io sd_event_add_post sd_event_add_signal sd_event_add_time sd_event_default
        sd_event_loop
        sd_event_set_signal_exit sd_event_set_watchdog sd_event_source_set_description sd_event_source_set_enabled
        sd_event_source_set_exit_on_failure sd_event_source_set_priority sd_event_source_set_time
        sd_event_source_unref sd_event_unref sd_notify sd_notifyf""",
}
