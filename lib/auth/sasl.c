/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/auth/sasl.h"

#include "lib/base/text.h"

#include <string.h>
#include <strings.h>

enum sasl_mechanism sasl_mechanism_of(const char *name)
{
	return strcasecmp(name, "PLAIN") == 0   ? SASL_PLAIN
	       : strcasecmp(name, "LOGIN") == 0 ? SASL_LOGIN
						: SASL_OTHER;
}

void sasl_init(struct sasl *sasl, enum sasl_mechanism mechanism)
{
	*sasl = (struct sasl){.mechanism = mechanism};
}

/* UTF-8 without control characters. */
static bool is_user(const char *bytes, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		n = text_character(bytes + at, len - at);
		if (n == 0)
			return false;
	}
	return len > 0 && len <= SASL_USER_MAX;
}

/* Old programs say other letters than UTF-8's; what ends a line anywhere is no letter. */
static bool is_password(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] == '\0' || bytes[i] == '\r' || bytes[i] == '\n')
			return false;
	return len > 0 && len <= SASL_PASSWORD_MAX;
}

static enum sasl_status take_both(struct sasl *sasl, const char *user, size_t user_len,
	const char *password, size_t password_len)
{
	if (!is_user(user, user_len) || !is_password(password, password_len))
		return SASL_REFUSED;
	memmove(sasl->user, user, user_len);
	sasl->user[user_len] = '\0';
	memcpy(sasl->password, password, password_len);
	sasl->password[password_len] = '\0';
	return SASL_DONE;
}

/* [authzid] NUL authcid NUL passwd */
static enum sasl_status take_plain(struct sasl *sasl, const char *bytes, size_t len)
{
	const char *first = memchr(bytes, '\0', len);
	size_t zlen = first ? (size_t)(first - bytes) : 0;
	const char *user = first ? first + 1 : NULL;
	const char *second = first ? memchr(user, '\0', len - zlen - 1) : NULL;

	if (!second)
		return SASL_MALFORMED;
	size_t ulen = (size_t)(second - user), plen = len - zlen - ulen - 2;
	bool own = zlen == 0 || (zlen == ulen && memcmp(bytes, user, zlen) == 0);
	return own ? take_both(sasl, user, ulen, second + 1, plen) : SASL_REFUSED;
}

/* The password is asked for whatever the name is, so that nothing is told by it. */
static enum sasl_status take_login(struct sasl *sasl, const char *bytes, size_t len)
{
	if (!sasl->named) {
		sasl->named = true;
		sasl->user_len = len <= SASL_USER_MAX ? len : 0;
		memcpy(sasl->user, bytes, sasl->user_len);
		return SASL_MORE;
	}
	return take_both(sasl, sasl->user, sasl->user_len, bytes, len);
}

enum sasl_status sasl_respond(struct sasl *sasl, const void *bytes, size_t len, bool given)
{
	if (!given && !sasl->asked) {
		sasl->asked = true;
		return SASL_MORE;
	}
	if (!given || sasl->mechanism == SASL_OTHER)
		return SASL_MALFORMED;
	return sasl->mechanism == SASL_PLAIN ? take_plain(sasl, bytes, len)
					     : take_login(sasl, bytes, len);
}

const char *sasl_challenge(const struct sasl *sasl)
{
	/* Old programs compare these letter by letter. */
	return sasl->mechanism == SASL_PLAIN ? "" : sasl->named ? "Password:" : "Username:";
}

/* ---- who it is in other mechanisms ---- */

static bool is_scram(const char *mechanism)
{
	return strncasecmp(mechanism, "SCRAM-", 6) == 0;
}

static bool is_cram(const char *mechanism)
{
	return strcasecmp(mechanism, "CRAM-MD5") == 0;
}

bool sasl_names_user(const char *mechanism)
{
	return is_scram(mechanism) || is_cram(mechanism);
}

/* "user digest"; the user may have blanks. */
static const char *cram_user(const char *said, size_t len, size_t *user_len)
{
	const char *blank = memrchr(said, ' ', len);

	*user_len = blank ? (size_t)(blank - said) : 0;
	return said;
}

/* "n,,n=user,r=..." : two fields go before, and none of those has a comma of its own. */
static const char *scram_user(const char *said, size_t len, size_t *user_len)
{
	const char *end = said + len;

	*user_len = 0;
	for (unsigned i = 0; i < 2; i++) {
		const char *comma = memchr(said, ',', (size_t)(end - said));
		if (!comma)
			return said;
		said = comma + 1;
	}
	if (end - said < 2 || memcmp(said, "n=", 2) != 0)
		return said;
	said += 2;
	const char *comma = memchr(said, ',', (size_t)(end - said));
	*user_len = comma ? (size_t)(comma - said) : 0;
	return said;
}

/* SCRAM's "=2C" and "=3D" are what its fields are made of. */
static size_t unescape(char *user, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bool comma = len - i >= 3 && memcmp(user + i, "=2C", 3) == 0;
		bool equal = len - i >= 3 && memcmp(user + i, "=3D", 3) == 0;
		user[n++] = comma ? ',' : equal ? '=' : user[i];
		i += comma || equal ? 2 : 0;
	}
	return n;
}

bool sasl_named_user(
	const char *mechanism, const void *bytes, size_t len, char user[static SASL_USER_MAX + 1])
{
	size_t user_len = 0;
	const char *said = bytes;

	if (len == 0)
		return false;
	if (is_scram(mechanism))
		said = scram_user(said, len, &user_len);
	else if (is_cram(mechanism))
		said = cram_user(said, len, &user_len);
	if (user_len == 0 || user_len > SASL_USER_MAX || memchr(said, '\0', user_len))
		return false;
	memcpy(user, said, user_len);
	if (is_scram(mechanism))
		user_len = unescape(user, user_len);
	user[user_len] = '\0';
	return true;
}
