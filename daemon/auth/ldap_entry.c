/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/auth/ldap_entry.h"

#include "lib/ldap/dn.h"
#include "lib/limit/guess.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool ldap_entry_keep(struct ldap_entry *entry, struct ber_slice message)
{
	ldap_entry_clear(entry);
	entry->bytes = malloc(message.len);
	if (!entry->bytes)
		return false;
	memcpy(entry->bytes, message.bytes, message.len);
	entry->len = message.len;
	return true;
}

void ldap_entry_clear(struct ldap_entry *entry)
{
	free(entry->bytes);
	*entry = (struct ldap_entry){0};
}

/* It was read once, before it was kept. False: there is none. */
static bool read_entry(const struct ldap_entry *entry, struct ldap_message *message)
{
	return entry->bytes && ldap_read(entry->bytes, entry->len, message) == 0;
}

bool ldap_entry_dn(const struct ldap_entry *entry, char *dn, size_t size)
{
	struct ldap_message message;

	if (!read_entry(entry, &message) || message.dn.len == 0 || message.dn.len >= size ||
		memchr(message.dn.bytes, '\0', message.dn.len))
		return false;
	memcpy(dn, message.dn.bytes, message.dn.len);
	dn[message.dn.len] = '\0';
	return true;
}

typedef void take_value(struct ber_slice value, void *context);

static void each_value(
	struct ldap_message message, const char *attribute, take_value *take, void *context)
{
	struct ber_reader values;
	struct ber_slice name, value;

	while (attribute[0] && ldap_next_attribute(&message, &name, &values))
		while (ldap_is_attribute(name, attribute) && ldap_next_value(&values, &value))
			take(value, context);
}

static void take_least(struct ber_slice value, void *context)
{
	struct ber_slice *least = context;
	size_t len = value.len < least->len ? value.len : least->len;
	int order = least->bytes ? memcmp(value.bytes, least->bytes, len) : -1;

	if (value.len > 0 && (order < 0 || (order == 0 && value.len < least->len)))
		*least = value;
}

struct groups {
	struct who *who;
	const char *prefix;
};

static void take_group(struct ber_slice value, void *context)
{
	const struct groups *groups = context;
	char group[POLICY_USER_SIZE];

	if (dn_group(value, groups->prefix, group, sizeof(group)))
		who_add_group(groups->who, group, strlen(group));
	if (!groups->prefix[0]) /* rules may name the whole DN, too */
		who_add_group(groups->who, (const char *)value.bytes, value.len);
}

/* Active Directory's proxyAddresses have the protocol in front. */
static void take_mail(struct ber_slice value, void *context)
{
	static const char protocol[] = "smtp:";
	const char *mail = (const char *)value.bytes;
	size_t skip = sizeof(protocol) - 1;

	if (value.len < skip || strncasecmp(mail, protocol, skip) != 0)
		skip = 0;
	who_add_mail(context, mail + skip, value.len - skip);
}

bool ldap_entry_who(const struct ldap_entry *entry, const struct ldap_entry_terms *terms,
	const char *said, const struct policy *policy, struct who *who)
{
	struct ldap_message message;
	struct ber_slice name = {0};
	char own[GUESS_NAME_SIZE];

	if (!read_entry(entry, &message)) {
		guess_name(said, NULL, own);
		return who_begin(who, policy, own, strlen(own));
	}
	each_value(message, terms->attribute, take_least, &name);
	if (name.len == 0 && dn_group(message.dn, "", own, sizeof(own)))
		name = (struct ber_slice){.bytes = (const uint8_t *)own, .len = strlen(own)};
	if (name.len == 0 || !who_begin(who, policy, (const char *)name.bytes, name.len))
		return false;
	struct groups groups = {who, terms->prefix};
	each_value(message, terms->group, take_group, &groups);
	each_value(message, terms->mail, take_mail, who);
	return true;
}
