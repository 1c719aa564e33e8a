/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a certificate: whatever they hold, there is a verdict with words for it. */
#include "lib/tls/certificate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* the same bytes as both files, and cut in two */
	const size_t cuts[] = {0, size / 2, size};
	struct certificate_facts facts;
	struct certificate_fault fault;
	unsigned n;

	for (size_t i = 0; i < 3; i++) {
		const struct certificate_bytes bytes = {data, data + (i == 1 ? cuts[1] : 0),
			cuts[i], size - (i == 1 ? cuts[1] : 0)};
		if (!certificate_judge(&bytes, 1800000000, &facts, &fault) && !fault.text[0])
			abort();
		for (const char *at = facts.subject; *at; at++)
			if ((unsigned char)*at < 0x20)
				abort();
	}
	if (!certificate_judge_trust(data, size, &n, &fault) && !fault.text[0])
		abort();
	return 0;
}
