/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/record/ending.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define ENDING_NAME(id, name, class, meaning) [ENDING_##id] = name,
const char *const ending_names[] = {ENDING_TABLE(ENDING_NAME)};
#undef ENDING_NAME
static_assert(sizeof(ending_names) / sizeof(ending_names[0]) == ENDINGS, "a name for each");

#define ENDING_MEANING(id, name, class, meaning) [ENDING_##id] = meaning,
const char *const ending_meanings[] = {ENDING_TABLE(ENDING_MEANING)};
#undef ENDING_MEANING

#define ENDING_CLASS(id, name, class, meaning) [ENDING_##id] = ENDING_CLASS_##class,
static const uint8_t classes[] = {ENDING_TABLE(ENDING_CLASS)};
#undef ENDING_CLASS

const char *const ending_class_names[] = {
	[ENDING_CLASS_NORMAL] = "normal",
	[ENDING_CLASS_LEFT] = "left",
	[ENDING_CLASS_LOST] = "lost",
	[ENDING_CLASS_REFUSED] = "refused",
	[ENDING_CLASS_SERVER] = "server",
	[ENDING_CLASS_ENDED] = "ended",
};
static_assert(sizeof(ending_class_names) / sizeof(ending_class_names[0]) == ENDING_CLASSES,
	"a name for each");

/* All temporary, but for who is not accepted: whatever is wrong here, the client's mail is not to
 * bounce for it. */
static const struct ending_reply replies[ENDINGS] = {
	[ENDING_NOT_LOGGED_IN] = {421, "4.7.0", "not logged in"},
	[ENDING_UNMATCHED] = {421, "4.7.0", "no rule for you here"},
	[ENDING_NOT_ACCEPTED] = {554, "5.7.1", "this host may not send mail here"},
	[ENDING_NOT_NAMED] = {421, "4.4.3", "your host name cannot be found now, try again"},
	[ENDING_OVER_FLOWS_TOTAL] = {421, "4.7.0", "too many connections here"},
	[ENDING_OVER_FLOWS_ZONE] = {421, "4.7.0", "too many connections from your network"},
	[ENDING_OVER_FLOWS_CLIENT] = {421, "4.7.0", "too many connections from you"},
	[ENDING_OVER_FLOWS_USER] = {421, "4.7.0", "too many connections of this user"},
	[ENDING_OVER_FLOWS_SERVER] = {421, "4.3.2", "too many connections to the mail server"},
	[ENDING_OVER_RATE_ZONE] = {421, "4.7.0", "connections too fast from your network"},
	[ENDING_OVER_RATE_CLIENT] = {421, "4.7.0", "connections too fast from you"},
	[ENDING_OVER_RATE_USER] = {421, "4.7.0", "connections too fast of this user"},
	[ENDING_NO_MAC] = {421, "4.7.0", "you cannot be recognised now, try again"},
	[ENDING_NO_ZONE] = {421, "4.7.0", "no mail service on this network"},
	[ENDING_NO_POLICY] = {421, "4.3.2", "starting, try again"},
	[ENDING_LOOP] = {421, "4.4.1", "the mail server leads back to you"},
	[ENDING_TABLE_FULL] = {421, "4.3.2", "too busy, try again"},
	[ENDING_NO_DESCRIPTOR] = {421, "4.3.2", "too busy, try again"},
	[ENDING_NO_MEMORY] = {421, "4.3.2", "too busy, try again"},
	[ENDING_NOT_TAKEN] = {421, "4.3.2", "not ready, try again"},
	[ENDING_DRAINING] = {421, "4.3.2", "going down, try again"},
	[ENDING_CONNECT_REFUSED] = {421, "4.4.1", "no mail server reachable"},
	[ENDING_CONNECT_UNREACHABLE] = {421, "4.4.1", "no mail server reachable"},
	[ENDING_CONNECT_TIMEOUT] = {421, "4.4.1", "no mail server reachable"},
	[ENDING_CONNECT_FAILED] = {421, "4.4.1", "no mail server reachable"},
	[ENDING_GREETING_REFUSED] = {421, "4.4.1", "the mail server takes no mail now"},
	[ENDING_GREETING_TIMEOUT] = {421, "4.4.1", "the mail server does not answer"},
	[ENDING_GREETING_CLOSED] = {421, "4.4.1", "the mail server takes no mail now"},
	[ENDING_GREETING_MALFORMED] = {421, "4.4.1", "the mail server does not speak SMTP"},
	[ENDING_OFFERS_XCLIENT] = {421, "4.4.1", "the mail server may not be used"},
	[ENDING_IDENTITY_REFUSED] = {421, "4.4.1", "the mail server does not take your connection"},
	[ENDING_TLS_FAILED] = {421, "4.7.5", "no mail server with the TLS that is wanted"},
	[ENDING_LOGIN_REFUSED] = {421, "4.7.0", "the mail server does not take our login"},
	[ENDING_HOST_UNFIT] = {421, "4.4.1", "no mail server can be used now"},
	[ENDING_SENDER_REFUSED] = {421, "4.4.1", "the mail server takes no mail now"},
	[ENDING_NO_SERVER] = {421, "4.4.1", "no mail server reachable"},
};

enum ending_class ending_class_of(enum ending ending)
{
	return classes[ending];
}

const char *ending_name(unsigned ending)
{
	return ending < ENDINGS ? ending_names[ending] : "unknown";
}

int ending_parse(const char *name, enum ending *ending)
{
	for (unsigned i = 0; i < ENDINGS; i++) {
		if (strcmp(name, ending_names[i]) == 0) {
			*ending = i;
			return 0;
		}
	}
	return -EINVAL;
}

const struct ending_reply *ending_reply_of(enum ending ending)
{
	return replies[ending].code ? &replies[ending] : NULL;
}
