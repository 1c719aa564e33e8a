/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures of accounting: what processes counted before an apply stays. */
#include "daemon/control/metrics/radius.h"

#include "daemon/control/accounting/accounts.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/radius_peer.h"

/* What is known of one radius of the policy. */
struct figures {
	const char *name;
	struct radius_counts told;
	const struct account_counts *kept;
};

static void each(struct exposition *page, const struct control *control, const char *name,
	const char *help, void (*put)(struct exposition *page, const struct figures *figures))
{
	static const struct account_counts none;
	const struct policy *policy = control->policy;

	exposition_begin(page, name, COUNTER_KIND_TOTAL, help);
	for (size_t i = 0; i < policy->nradiuses; i++) {
		struct figures figures = {.name = policy->radiuses[i].name.text};
		radius_peer_counts(control->radius, figures.name, &figures.told);
		figures.kept = accounts_counts(control->accounts, figures.name);
		if (!figures.kept)
			figures.kept = &none;
		put(page, &figures);
	}
}

static void put_packets(struct exposition *page, const struct figures *figures)
{
	for (unsigned i = 0; i < RADIUS_VERDICTS; i++)
		exposition_add(page, figures->told.verdicts[i], "radius", figures->name, "verdict",
			radius_verdict_names[i], NULL);
	exposition_add(
		page, figures->told.unlisted, "radius", figures->name, "verdict", "unlisted", NULL);
}

static void put_events(struct exposition *page, const struct figures *figures)
{
	for (unsigned i = 0; i < RADIUS_STATUSES; i++)
		exposition_add(page, figures->told.statuses[i], "radius", figures->name, "status",
			radius_status_names[i], NULL);
}

static void put_acts(struct exposition *page, const struct figures *figures)
{
	for (unsigned i = 0; i < RADIUS_ACTS; i++)
		exposition_add(page, figures->kept->acts[i], "radius", figures->name, "act",
			radius_act_names[i], NULL);
}

static void put_unused(struct exposition *page, const struct figures *figures)
{
	for (unsigned i = RADIUS_UNUSED_NOTHING + 1; i < RADIUS_UNUSEDS; i++)
		exposition_add(page, figures->told.unused[i] + figures->kept->unused[i], "radius",
			figures->name, "reason", radius_unused_names[i], NULL);
}

static void put_missed(struct exposition *page, const struct figures *figures)
{
	exposition_add(page, figures->kept->starts_missed, "radius", figures->name, "status",
		"start", NULL);
	exposition_add(
		page, figures->kept->stops_missed, "radius", figures->name, "status", "stop", NULL);
}

#define FIGURE(field, of)                                                               \
	static void put_##field(struct exposition *page, const struct figures *figures) \
	{                                                                               \
		exposition_add(page, figures->of.field, "radius", figures->name, NULL); \
	}
FIGURE(answered, told)
FIGURE(duplicates, told)
FIGURE(limited, told)
FIGURE(crowded, told)
#undef FIGURE

static void put_failed(struct exposition *page, const struct figures *figures)
{
	exposition_add(page, figures->kept->failed, "radius", figures->name, NULL);
}

static void put_sessions(struct exposition *page, const struct control *control)
{
	static const char *const states[RADIUS_STATES] = {[RADIUS_LIVE] = "live",
		[RADIUS_PENDING] = "pending",
		[RADIUS_ENDED] = "ended",
		[RADIUS_SUPERSEDED] = "superseded"};

	exposition_begin(page, "radius-sessions", COUNTER_KIND_GAUGE,
		"sessions of NASes that are known of, those over included, which are kept for a "
		"day");
	for (unsigned i = 0; i < RADIUS_STATES; i++)
		exposition_add(page, accounts_count(control->accounts, (enum radius_state)i),
			"state", states[i], NULL);
}

void metrics_put_radiuses(struct exposition *page, const struct control *control)
{
	each(page, control, "radius-packets",
		"accounting packets, by whether they could be believed", put_packets);
	each(page, control, "radius-events", "accounting packets that were, by what they say",
		put_events);
	each(page, control, "radius-acts", "what they came to", put_acts);
	each(page, control, "radius-unused", "those that were of no use, by the reason",
		put_unused);
	each(page, control, "radius-missed",
		"sessions whose Start was not heard, or that were over without a Stop", put_missed);
	each(page, control, "radius-answered", "answers that were sent", put_answered);
	each(page, control, "radius-duplicates", "packets that were heard before", put_duplicates);
	each(page, control, "radius-limited", "packets over what one may send in a second",
		put_limited);
	each(page, control, "radius-crowded",
		"packets that were left to be sent again, as too many waited for the disk",
		put_crowded);
	each(page, control, "radius-not-stored",
		"packets that were not answered, as what came of them could not be stored",
		put_failed);
	put_sessions(page, control);
}
