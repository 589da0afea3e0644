dnl SPDX-License-Identifier: GPL-2.0-or-later

dnl TW_PROBE_CFLAGS(FLAGS): adds to TW_CFLAGS each flag that the compiler takes without a warning.
AC_DEFUN([TW_PROBE_CFLAGS], [
	for tw_flag in $1; do
		tw_saved=$CFLAGS
		CFLAGS="$CFLAGS -Werror $tw_flag"
		AC_MSG_CHECKING([whether $CC takes $tw_flag])
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
			[AC_MSG_RESULT([yes]); TW_CFLAGS="$TW_CFLAGS $tw_flag"],
			[AC_MSG_RESULT([no])])
		CFLAGS=$tw_saved
	done
])

dnl TW_PROBE_LDFLAGS(FLAGS): the same for TW_LDFLAGS and the linker.
AC_DEFUN([TW_PROBE_LDFLAGS], [
	for tw_flag in $1; do
		tw_saved=$LDFLAGS
		LDFLAGS="$LDFLAGS -Werror $tw_flag"
		AC_MSG_CHECKING([whether the linker takes $tw_flag])
		AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
			[AC_MSG_RESULT([yes]); TW_LDFLAGS="$TW_LDFLAGS $tw_flag"],
			[AC_MSG_RESULT([no])])
		LDFLAGS=$tw_saved
	done
])
