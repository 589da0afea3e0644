/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A main() for a fuzz target without a fuzzer: feeds it every file of its corpus, each as it is and cut short at every
 * length, so that what a fuzzer once found stays found by an ordinary `make check`. TAP, one line a file.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Larger than any datagram or file that a corpus holds. */
#define REPLAY_MAX (128 * 1024)
/* Cut at every length up to this, beyond it at every 61st (a prime, so that it walks through alignments). */
#define REPLAY_CUT_DENSE 512

static void replay(const uint8_t *bytes, size_t length)
{
	for (size_t cut = 0; cut < length; cut += cut < REPLAY_CUT_DENSE ? 1 : 61) {
		/* An exact allocation, so that a sanitizer sees a read beyond the cut. */
		uint8_t *copy = malloc(cut ? cut : 1);

		if (!copy)
			abort();
		memcpy(copy, bytes, cut);
		(void)LLVMFuzzerTestOneInput(copy, cut);
		free(copy);
	}
	(void)LLVMFuzzerTestOneInput(bytes, length);
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char *argv[])
{
	static uint8_t bytes[REPLAY_MAX];
	const char *source = getenv("TW_SRCDIR");
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	char directory[4096], path[8192];
	struct dirent **entries;
	int count;

	if (strncmp(name, "fuzz-", 5) == 0)
		name += 5;
	if (argc > 1)
		(void)snprintf(directory, sizeof(directory), "%s", argv[1]);
	else
		(void)snprintf(directory, sizeof(directory), "%s/tests/fuzz/corpus/%s", source ? source : ".", name);
	count = scandir(directory, &entries, visible, alphasort);
	if (count <= 0) {
		printf("1..1\nnot ok 1 - no corpus in %s\n", directory);
		return EXIT_FAILURE;
	}
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		size_t length = 0;
		FILE *file;

		(void)snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		file = fopen(path, "rb");
		if (file) {
			length = fread(bytes, 1, sizeof(bytes), file);
			(void)fclose(file);
			replay(bytes, length);
		}
		printf("%s %d - %s, %zu bytes\n", file ? "ok" : "not ok", i + 1, entries[i]->d_name, length);
		free(entries[i]);
	}
	free(entries);
	return EXIT_SUCCESS;
}
