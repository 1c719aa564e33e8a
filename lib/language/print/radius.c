/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/print/write.h"

static void put_listen(struct language_writer *w, const struct policy_radius *radius)
{
	char text[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < radius->naddresses; i++)
		language_writef(w, "%s%s", i ? ", " : "\n    listen ",
			addr_format(&radius->addresses[i], text));
	language_writef(w, " port %u", radius->port);
}

static void put_source(struct language_writer *w, const struct policy_radius_source *source)
{
	language_put_prefixes(w, "\n    from ", &source->prefixes);
	language_put(w, " { secret file ");
	language_put_string(w, &source->secret_file);
	language_put(w, " }");
}

static void put_zone(struct language_writer *w, const struct policy_radius_zone *zone)
{
	bool asks = zone->ssids.n > 0 || zone->nases.n > 0 || zone->nwlans > 0;

	language_writef(w, "\n    zone %s%s", zone->zone_name.text, asks ? " {" : "");
	language_put_strings(w, " ssid ", &zone->ssids);
	language_put_strings(w, " nas ", &zone->nases);
	for (size_t i = 0; i < zone->nwlans; i++)
		language_writef(w, "%s%u", i ? ", " : " wlan ", zone->wlans[i]);
	language_put(w, asks ? " }" : "");
}

static void put_group(struct language_writer *w, const struct policy_radius *radius)
{
	language_writef(w, "\n    group %s", policy_radius_group_names[radius->group]);
	if (radius->prefix.len == 0)
		return;
	language_put(w, " { prefix ");
	language_put_string(w, &radius->prefix);
	language_put(w, " }");
}

void language_put_radius(struct language_writer *w, const struct policy_radius *radius, bool full)
{
	language_writef(w, "radius %s {", radius->name.text);
	put_listen(w, radius);
	for (size_t i = 0; i < radius->nsources; i++)
		put_source(w, &radius->sources[i]);
	for (size_t i = 0; i < radius->nzones; i++)
		put_zone(w, &radius->zones[i]);
	if (full || radius->given & POLICY_RADIUS_GIVEN_USER)
		for (size_t i = 0; i < radius->nusers; i++)
			language_writef(w, "%s%s", i ? ", " : "\n    user ",
				policy_radius_user_names[radius->users[i]]);
	language_put_strings(w, "\n    ignore ", &radius->ignored);
	if (radius->given & POLICY_RADIUS_GIVEN_GROUP)
		put_group(w, radius);
	if (full || radius->given & POLICY_RADIUS_GIVEN_TIMEOUT)
		language_put_duration(w, "\n    timeout ", radius->timeout_s * 1000ull);
	if (full || radius->given & POLICY_RADIUS_GIVEN_SKEW)
		language_put_duration(w, "\n    skew ", radius->skew_s * 1000ull);
	if (full || radius->given & POLICY_RADIUS_GIVEN_RESTART)
		language_put(w, radius->restart_keeps ? "\n    restart keep" : "\n    restart end");
	if (radius->comment.len > 0) {
		language_put(w, "\n    comment ");
		language_put_string(w, &radius->comment);
	}
	language_put(w, "\n}\n");
}
