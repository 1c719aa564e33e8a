/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/plan.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan plan;
	uint8_t *bytes;
	size_t len;

	if (plan_decode(data, size, &plan))
		return 0;
	/* what is taken can be programmed and written again; what stands behind the end of a name
	 * is lost by that */
	if (plan_check(&plan) || plan_encode(&plan, &bytes, &len) || len != size)
		abort();
	plan_fini(&plan);
	if (plan_decode(bytes, len, &plan))
		abort();
	plan_fini(&plan);
	free(bytes);
	return 0;
}
