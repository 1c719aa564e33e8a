/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/result.h"

#include <stdlib.h>
#include <string.h>

void audit_result_fini(struct audit_result *result)
{
	for (size_t i = 0; i < result->n; i++)
		free(result->v[i].json);
	free(result->v);
	*result = (struct audit_result){0};
}
