/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/print/write.h"

void language_put_scan(struct language_writer *w, const struct policy_scan *scan, bool full)
{
	language_writef(w, "scan %s { %s ", scan->name.text, policy_scan_kind_names[scan->kind]);
	language_put_string(w, &scan->address);
	if (full || scan->given & POLICY_SCAN_GIVEN_MODE)
		language_writef(w, " mode %s", policy_scan_mode_names[scan->mode]);
	if (full || scan->given & POLICY_SCAN_GIVEN_ON_FAILURE)
		language_writef(w, " on-failure %s", policy_scan_failure_names[scan->on_failure]);
	if (full || scan->given & POLICY_SCAN_GIVEN_DEADLINE)
		language_put_duration(w, " deadline ", scan->deadline_ms);
	if ((full && scan->kind == POLICY_SCAN_MILTER) ||
		scan->given & POLICY_SCAN_GIVEN_QUARANTINE)
		language_writef(w, " quarantine %s", policy_scan_failure_names[scan->quarantine]);
	if (scan->comment.len > 0) {
		language_put(w, " comment ");
		language_put_string(w, &scan->comment);
	}
	language_put(w, " }\n");
}
