/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/command/verb.h"

#include "lib/language/language.h"
#include "lib/record/ending.h"
#include "lib/record/flowid.h"
#include "lib/record/login_ending.h"
#include "lib/record/message_record.h"
#include "lib/smtp/path.h"

#include <assert.h>
#include <string.h>

#define LONGEST         300 /* a host's name, with some room */
#define QUEUED_SHORTEST 6
#define QUEUED_LONGEST  40

const char *const verb_value_names[] = {"text", "zone", "server", "host", "rule", "device",
	"certificate", "auth", "scan", "radius", "portal", "list", "listener", "domain", "user",
	"time", "endpoint", "path", "file", "number", "rows", "policy", "session", "flow",
	"message", "queued", "all-queued", "address", "network", "networks", "mac", "element",
	"duration", "span", "ending", "outcome", "sender", "recipient", "choice"};
static_assert(sizeof(verb_value_names) / sizeof(*verb_value_names) == VERB_VALUES,
	"a name for each kind of value");

static bool is_number(const char *word)
{
	bool zero = true;
	size_t len = strlen(word);
	for (size_t i = 0; i < len; i++) {
		if (word[i] < '0' || word[i] > '9')
			return false;
		zero = zero && word[i] == '0';
	}
	return !zero && len <= 18;
}

static bool is_address(const char *word)
{
	struct addr addr;
	return addr_parse(word, strlen(word), &addr) == 0 && !addr_is_unspecified(&addr);
}

static bool is_network(const char *word, size_t len)
{
	struct prefix prefix;
	return prefix_parse(word, len, &prefix) == 0;
}

static bool are_networks(const char *word)
{
	for (;;) {
		size_t len = strcspn(word, ",");
		if (!is_network(word, len))
			return false;
		if (!word[len])
			return true;
		word += len + 1;
	}
}

static bool is_mac(const char *word)
{
	struct mac mac;
	return mac_parse(word, strlen(word), &mac) == 0 && mac_is_set(&mac);
}

static bool is_duration(const char *word)
{
	uint64_t ms;
	return language_parse_duration(word, &ms) == 0 && ms > 0;
}

static bool is_choice(const char *words, const char *word)
{
	size_t len = strlen(word);
	for (;;) {
		size_t n = strcspn(words, "|");
		if (n == len && memcmp(words, word, n) == 0)
			return true;
		if (!words[n])
			return false;
		words += n + 1;
	}
}

static bool is_flow(const char *word)
{
	uint64_t id;
	return flowid_parse(word, strlen(word), &id) == 0 && id;
}

static bool is_message(const char *word)
{
	uint64_t flow;
	uint32_t number;
	return message_name_parse(word, strlen(word), &flow, &number) == 0;
}

/* As Postfix makes them: of letters and digits. Its own word for all of them, ALL, is too short. */
static bool is_queued(const char *word)
{
	size_t len = strlen(word);
	return len >= QUEUED_SHORTEST && len <= QUEUED_LONGEST &&
	       strspn(word, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") ==
		       len;
}

static bool is_path(const char *word, unsigned way)
{
	struct smtp_path path;
	size_t used, len = strlen(word);
	return smtp_path_parse(&path, way, word, len, &used) == SMTP_PATH_GOOD && used == len;
}

const char *verb_readings(
	const struct verb_part *part, const char *word, char buf[static PREFIX_READINGS_SIZE])
{
	bool several = part->type == VERB_NETWORKS;
	const char *readings = NULL;
	if (!several && part->type != VERB_NETWORK && part->type != VERB_ELEMENT)
		return NULL;
	while (*word && !readings) {
		size_t len = several ? strcspn(word, ",") : strlen(word);
		readings = prefix_readings(word, len, buf);
		word += len + (word[len] == ',');
	}
	return readings;
}

bool verb_fits(const struct verb_part *part, const char *word)
{
	char readings[PREFIX_READINGS_SIZE];
	enum message_ending outcome;
	enum ending ending;
	enum login_ending login;
	if (!*word)
		return part->flags & VERB_EMPTY;
	if (verb_readings(part, word, readings))
		return false;
	switch (part->type) {
	case VERB_ZONE:
	case VERB_SERVER:
	case VERB_RULE:
	case VERB_DEVICE:
	case VERB_CERTIFICATE:
	case VERB_AUTH:
	case VERB_SCAN:
	case VERB_RADIUS:
	case VERB_PORTAL:
	case VERB_LIST:
	case VERB_LISTENER:
	case VERB_DOMAIN:
		return strlen(word) < POLICY_NAME_SIZE;
	case VERB_USER:
		return strlen(word) < POLICY_USER_SIZE;
	case VERB_HOST:
	case VERB_TIME:
	case VERB_ENDPOINT:
		return strlen(word) < LONGEST;
	case VERB_TEXT:
	case VERB_PATH:
	case VERB_FILE:
	case VERB_ELEMENT: /* what it may be is for the list to say */
	case VERB_VALUES:
		return true;
	case VERB_NUMBER:
	case VERB_POLICY:
		return is_number(word);
	case VERB_ROWS:
		return strcmp(word, "all") == 0 || is_number(word);
	case VERB_SESSION:
		return is_number(word + (*word == 'd'));
	case VERB_FLOW:
		return is_flow(word);
	case VERB_MESSAGE:
		return is_message(word);
	case VERB_QUEUED:
		return is_queued(word);
	case VERB_ALL_QUEUED:
		return strcmp(word, "all") == 0 || is_queued(word);
	case VERB_ADDRESS:
		return is_address(word);
	case VERB_NETWORK:
		return is_network(word, strlen(word));
	case VERB_NETWORKS:
		return are_networks(word);
	case VERB_MAC:
		return is_mac(word);
	case VERB_DURATION:
		return is_duration(word);
	case VERB_SPAN:
		return strcmp(word, "none") == 0 || is_duration(word);
	case VERB_ENDING:
		return ending_parse(word, &ending) == 0 || login_ending_parse(word, &login) == 0;
	case VERB_OUTCOME:
		return message_ending_parse(word, &outcome) == 0;
	case VERB_SENDER:
		return is_path(word, SMTP_PATH_BARE);
	case VERB_RECIPIENT:
		return is_path(word, SMTP_PATH_BARE | SMTP_PATH_RECIPIENT);
	case VERB_CHOICE:
		return is_choice(part->value, word);
	}
	return false;
}

static const char *const kinds[] = {
	[VERB_TEXT] = "a text",
	[VERB_ZONE] = "a zone's name",
	[VERB_SERVER] = "a server's name",
	[VERB_HOST] = "a host of the server",
	[VERB_RULE] = "a rule's name",
	[VERB_DEVICE] = "a device's name",
	[VERB_CERTIFICATE] = "a certificate's name",
	[VERB_AUTH] = "the name of an auth",
	[VERB_SCAN] = "a scan's name",
	[VERB_RADIUS] = "the name of a radius",
	[VERB_PORTAL] = "a portal's name",
	[VERB_LIST] = "a list's name",
	[VERB_USER] = "a user's name",
	[VERB_TIME] = "a time",
	[VERB_ENDPOINT] = "an address, with a port or without",
	[VERB_PATH] = "a file",
	[VERB_FILE] = "a file, or - for standard input",
	[VERB_NUMBER] = "a number from 1",
	[VERB_ROWS] = "a number from 1, or all",
	[VERB_POLICY] = "a policy's number",
	[VERB_SESSION] = "a session's id",
	[VERB_FLOW] = "a flow's id",
	[VERB_MESSAGE] = "a message's id, such as f-7k3q9.2, or its flow's",
	[VERB_QUEUED] = "an id that queue show tells",
	[VERB_ALL_QUEUED] = "an id that queue show tells, or all",
	[VERB_ADDRESS] = "an address",
	[VERB_NETWORK] = "an address or network",
	[VERB_NETWORKS] = "an address or network",
	[VERB_MAC] = "a MAC",
	[VERB_ELEMENT] = "an address, network, range or MAC, a mail address or a host's name",
	[VERB_DURATION] = "a time such as 30m, 8h or 7d, at most 7101w",
	[VERB_SPAN] = "a time such as 30m, 8h or 7d, at most 7101w, or none",
	[VERB_ENDING] = "an end of flows",
	[VERB_OUTCOME] = "an end of messages",
	[VERB_SENDER] = "a mail address, or <>",
	[VERB_RECIPIENT] = "a mail address",
	[VERB_CHOICE] = "one of these words",
};
static_assert(sizeof(kinds) / sizeof(*kinds) == VERB_VALUES, "a text for each kind of value");

const char *verb_expects(const struct verb_part *part)
{
	return part->type == VERB_CHOICE ? part->value : kinds[part->type];
}
