/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/build/language_build.h"

#include <string.h>

static bool once(struct language *l, const struct language_span *word, const char *text)
{
	return language_once(l, &l->block, word, text);
}

/* --- device */

void language_device_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	memset(&l->device, 0, sizeof(l->device));
	memset(&l->device_note, 0, sizeof(l->device_note));
	language_enter(l, &l->block, LANGUAGE_BLOCK_DEVICE, name);
	l->device.place = span->place;
	l->device.name = *name;
	l->device.zone_name = l->device.user = l->device.comment = language_empty();
	l->device_note.name = *span;
}

void language_device_zone(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name)
{
	once(l, word, "zone");
	l->device.zone_name = *name;
	l->device_note.zone = *span;
}

void language_device_macs(struct language *l, const struct language_span *word)
{
	struct policy_device *d = &l->device;
	struct policy_elems elems;

	once(l, word, "mac");
	language_keep_elems(l, &l->items, &elems, &l->device_note.macs);
	language_keep_strings(l, &l->items, &d->mac_list_names, &l->device_note.mac_lists);
	d->nmacs = 0;
	d->macs = language_alloc(l, elems.n, sizeof(*d->macs));
	d->spellings = language_alloc(l, elems.n, sizeof(*d->spellings));
	d->mac_lists = language_alloc(l, d->mac_list_names.n, sizeof(*d->mac_lists));
	for (size_t i = 0; d->macs && d->spellings && i < elems.n; i++) {
		d->macs[d->nmacs] = elems.v[i].mac;
		d->spellings[d->nmacs++] = elems.v[i].spelling;
	}
}

void language_device_addresses(struct language *l, const struct language_span *word)
{
	once(l, word, "address");
	language_keep_prefixes(l, &l->items, &l->device.addresses, &l->device_note.addresses);
	language_keep_strings(l, &l->items, &l->device.list_names, &l->device_note.lists);
	l->device.lists = language_alloc(l, l->device.list_names.n, sizeof(*l->device.lists));
}

void language_device_user(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *user)
{
	once(l, word, "user");
	language_items_clear(l);
	language_item_user(l, span, user);
	l->device.user = *user;
}

void language_device_groups(struct language *l, const struct language_span *word)
{
	once(l, word, "group");
	language_keep_strings(l, &l->items, &l->device.groups, NULL);
}

void language_device_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text)
{
	once(l, word, "comment");
	l->device.comment = language_comment(l, span, text);
}

void language_device_end(struct language *l)
{
	const struct policy_device *d = &l->device;
	const char *lacking = d->zone_name.len == 0 ? "zone, expected one"
			      : d->nmacs == 0 && d->mac_list_names.n == 0 && d->addresses.n == 0 &&
					      d->list_names.n == 0
				      ? "mac and no address, expected one of them"
			      : d->user.len == 0 ? "user, expected one"
						 : NULL;

	if (lacking && language_whole(l))
		language_error(
			l, &l->device_note.name, "device %s has no %s", d->name.text, lacking);
	struct policy_device *device = language_push(l, &l->devices, sizeof(*device));
	struct language_device_note *note = language_push(l, &l->device_notes, sizeof(*note));
	if (device && note) {
		*device = l->device;
		*note = l->device_note;
	}
}

/* --- rule */

void language_rule_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	memset(&l->rule, 0, sizeof(l->rule));
	memset(&l->rule_note, 0, sizeof(l->rule_note));
	language_enter(l, &l->block, LANGUAGE_BLOCK_RULE, name);
	l->rule.place = span->place;
	l->rule.name = *name;
	l->rule.server_name = l->rule.comment = language_empty();
	l->rule.act = language_verdict(POLICY_VERDICT_REDIRECT);
	l->rule.audit = true;
	l->rule_note.name = *span;
	l->limits.n = 0;
}

void language_rule_zones(struct language *l, const struct language_span *word)
{
	once(l, word, "zone");
	language_keep_strings(l, &l->items, &l->rule.zone_names, &l->rule_note.zones);
	l->rule.zones = language_alloc(l, l->rule.zone_names.n, sizeof(*l->rule.zones));
}

void language_rule_always(struct language *l, const struct language_span *span, const char *word)
{
	once(l, span, word);
}

void language_rule_listeners(struct language *l, const struct language_span *word, bool negated)
{
	once(l, word, "listener");
	l->rule.listens = true;
	l->rule.listener_negated = negated;
	language_keep_strings(l, &l->items, &l->rule.listener_names, &l->rule_note.listeners);
	l->rule.listeners = language_alloc(l, l->rule.listener_names.n, sizeof(size_t));
}

void language_refuse_not_any(struct language *l, const struct language_span *span, bool negated)
{
	if (negated)
		language_error(
			l, span, "\"not any\" matches nothing, expected values or no \"not\"");
}

void language_rule_user_any(struct language *l, const struct language_span *word,
	const struct language_span *span, bool negated)
{
	once(l, word, "user");
	language_refuse_not_any(l, span, negated);
	l->rule.user_given = l->rule.user_any = true;
	l->rule_note.user = *word;
}

void language_rule_user_none(struct language *l, const struct language_span *word,
	const struct language_span *span, bool negated)
{
	once(l, word, "user");
	if (negated)
		language_error(l, span, "\"not none\" is everybody who is known, expected `any`");
	l->rule.user_given = l->rule.user_none = true;
	l->rule_note.user = *word;
}

void language_rule_users(struct language *l, const struct language_span *word, bool negated)
{
	once(l, word, "user");
	struct policy_strings *users = &l->rule.users;
	const struct language_item *item = l->items.v;
	language_keep_strings(l, &l->items, users, NULL);
	l->rule.meant = language_alloc(l, users->n, sizeof(*l->rule.meant));
	for (size_t i = 0; l->rule.meant && i < users->n; i++) {
		l->rule.meant[i] = policy_user_of(&users->v[i]);
		if (users->v[i].len > 0 && l->rule.meant[i].name.len == 0)
			language_error(l, &item[i].span,
				"\"%s\" names nobody, expected a user's name behind the colon",
				users->v[i].text);
	}
	l->rule.user_given = true;
	l->rule.user_negated = negated;
	l->rule_note.user = *word;
}

void language_rule_groups(struct language *l, const struct language_span *word, bool negated)
{
	once(l, word, "group");
	language_keep_strings(l, &l->items, &l->rule.groups, NULL);
	l->rule.group_given = true;
	l->rule.group_negated = negated;
}

void language_rule_ports(struct language *l, const struct language_span *word)
{
	once(l, word, "port");
	language_keep_ports(l, &l->items, &l->rule.ports, &l->rule_note.ports);
}

static struct policy_where *where_of(
	struct language *l, const struct language_span *word, bool destination)
{
	once(l, word, destination ? "destination" : "source");
	*(destination ? &l->rule_note.destination : &l->rule_note.source) = *word;
	return destination ? &l->rule.destination : &l->rule.source;
}

void language_rule_where_any(struct language *l, const struct language_span *word,
	const struct language_span *span, bool negated, bool destination)
{
	struct policy_where *where = where_of(l, word, destination);

	language_refuse_not_any(l, span, negated);
	*where = (struct policy_where){.given = true, .any = true};
}

void language_rule_where(
	struct language *l, const struct language_span *word, bool negated, bool destination)
{
	struct policy_where *where = where_of(l, word, destination);
	const struct language_item *item = l->items.v;

	language_where(l, where, &l->rule_note.lists[destination], negated);
	for (size_t i = 0; destination && i < l->items.n; i++) {
		if (item[i].kind == LANGUAGE_ITEM_ELEM && item[i].elem.kind == POLICY_ELEM_MAC)
			language_error(l, &item[i].span,
				"a destination has no MAC, expected an address or a network");
	}
}

void language_rule_protected(struct language *l, const struct language_span *word, bool negated)
{
	struct policy_where *where = where_of(l, word, true);

	*where = (struct policy_where){.given = true, .protected = true, .negated = negated};
}

/* Where flows begin to be read because of the rule. */
void language_rule_reads(struct language *l, const struct language_span *word)
{
	if (l->rule_note.message_word.width == 0)
		l->rule_note.message_word = *word;
}

static void take_mails(struct language *l, const struct language_span *word, const char *text,
	struct policy_mails *mails, struct language_spans *lists, bool negated)
{
	once(l, word, text);
	language_rule_reads(l, word);
	language_mails(l, mails, lists, negated);
}

void language_rule_senders(struct language *l, const struct language_span *word, bool negated)
{
	take_mails(l, word, "sender", &l->rule.sender, &l->rule_note.lists[2], negated);
}

void language_rule_recipients(struct language *l, const struct language_span *word, bool negated)
{
	l->rule_note.recipient = *word;
	take_mails(l, word, "recipient", &l->rule.recipient, &l->rule_note.lists[3], negated);
}

void language_rule_schedule(struct language *l, const struct language_span *word)
{
	const struct language_item *item = l->items.v;

	once(l, word, "schedule");
	l->rule.schedule.n = 0;
	l->rule.schedule.v = language_alloc(l, l->items.n, sizeof(*l->rule.schedule.v));
	for (size_t i = 0; l->rule.schedule.v && i < l->items.n; i++)
		l->rule.schedule.v[l->rule.schedule.n++] = item[i].range;
}

void language_rule_server(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name)
{
	once(l, word, "server");
	l->rule.to_server = true;
	l->rule.to_original = !name;
	if (name)
		l->rule.server_name = *name;
	l->rule_note.server = *span;
	if (l->rule.act.verdict != POLICY_VERDICT_REDIRECT)
		language_error(l, word, "rule %s has a verdict and a server, expected one of them",
			l->rule.name.text);
}

void language_rule_server_protected(
	struct language *l, const struct language_span *word, const struct language_span *span)
{
	static const struct policy_string none = {.text = ""};

	language_rule_server(l, word, span, &none);
	l->rule.server_name = language_empty();
	l->rule.to_protected = true;
}

void language_rule_verdict(
	struct language *l, const struct language_span *word, const struct policy_act *act)
{
	once(l, word, "verdict");
	l->rule.act = *act;
	l->rule_note.verdict = *word;
	if (l->rule.to_server)
		language_error(l, word, "rule %s has a server and a verdict, expected one of them",
			l->rule.name.text);
}

void language_rule_audit(struct language *l, const struct language_span *word, bool on)
{
	once(l, word, "audit");
	l->rule.audit_given = true;
	l->rule.audit = on;
}

void language_rule_disabled(struct language *l, const struct language_span *word)
{
	once(l, word, "disabled");
	l->rule.disabled = true;
}

void language_rule_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text)
{
	once(l, word, "comment");
	l->rule.comment = language_comment(l, span, text);
}

void language_rule_end(struct language *l)
{
	if (!l->rule.to_server && l->rule.act.verdict == POLICY_VERDICT_REDIRECT &&
		language_whole(l))
		language_error(l, &l->rule_note.name,
			"rule %s does nothing, expected server or verdict", l->rule.name.text);
	language_limits_end(l, &l->rule.limits, NULL);
	struct policy_rule *rule = language_push(l, &l->rules, sizeof(*rule));
	struct language_rule_note *note = language_push(l, &l->rule_notes, sizeof(*note));
	if (rule && note) {
		*rule = l->rule;
		*note = l->rule_note;
	}
}
