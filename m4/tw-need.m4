dnl SPDX-License-Identifier: GPL-2.0-or-later

dnl TW_NEED_MODULE(PREFIX, MODULE, DEBIAN-PACKAGE): PREFIX_CFLAGS and PREFIX_LIBS, or an entry in tw_missing.
AC_DEFUN([TW_NEED_MODULE], [
	PKG_CHECK_MODULES([$1], [$2], [], [tw_missing="$tw_missing
  $2 (Debian: $3)"])
])
