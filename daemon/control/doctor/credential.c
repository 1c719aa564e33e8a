/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds of certificates, trust stores and secrets: that each is there, and when it
 * ends. */
#include "daemon/control/doctor/examination.h"

#include "daemon/control/control.h"
#include "daemon/control/credential/credentials.h"

#include <inttypes.h>
#include <stdio.h>

static void check_end(const struct examination *exam, const struct credential_now *now)
{
	int64_t days =
		certificate_days_left(&now->facts, credentials_now_s(exam->control->credentials));
	char date[CERTIFICATE_DATE_SIZE];

	examination_find(exam, "certificate",
		days <= CREDENTIAL_TROUBLE_DAYS   ? DOCTOR_ERROR
		: days <= CREDENTIAL_WARNING_DAYS ? DOCTOR_WARNING
						  : DOCTOR_OK,
		"renew it, put it at the same place, and: posternctl certificate reload",
		"certificate %s of %s %s on %s, %" PRId64 " days %s", now->what.name,
		now->facts.names[0] ? now->facts.names : now->facts.subject,
		days < 0 ? "expired" : "ends", certificate_date(now->facts.ends, date),
		days < 0 ? -days : days, days < 0 ? "ago" : "from now");
}

static void check_one(const struct examination *exam, const struct credential_now *now)
{
	char title[CREDENTIAL_TITLE_SIZE];

	if (now->trouble[0])
		examination_find(exam, "certificate", DOCTOR_ERROR,
			"mend the file, then: posternctl certificate reload", "%s; %s",
			now->trouble,
			now->loaded ? "what was loaded before goes on"
				    : credential_lack(now->what.kind));
	if (now->warning[0])
		examination_find(exam, "certificate", DOCTOR_WARNING,
			"close the file to others; who could read it may have done so", "%s",
			now->warning);
	if (now->what.kind == CREDENTIAL_OWN)
		return; /* it is made anew in time */
	if (now->what.kind == CREDENTIAL_CERTIFICATE && now->loaded)
		check_end(exam, now);
	else if (!now->trouble[0])
		examination_find(exam, "certificate", DOCTOR_OK, "", "%s %s can be read",
			credential_title(&now->what, title), now->what.file);
}

void examination_of_credentials(const struct examination *exam)
{
	size_t n;
	const struct credential_now *now = credentials_now(exam->control->credentials, &n);

	for (size_t i = 0; i < n; i++)
		check_one(exam, &now[i]);
}
