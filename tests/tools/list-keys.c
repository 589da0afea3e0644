/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list-keys: every key that the configuration knows, "SECTION KEY" a line, to hold the manual against. */
#include "config/settings-load.h"

#include <stdio.h>

int main(void)
{
	static const char *const sections[] = { "daemon", "destroy", "rule" };

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		const char *key;

		for (size_t at = 0; (key = tw_settings_key(sections[i], at)); at++)
			printf("%s %s\n", sections[i], key);
	}
	return 0;
}
