/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the list of everything that is counted.
 *
 * Each process has an array of COUNTERS values and changes it alone; control adds the arrays up.
 * The endings of flows are counters too, behind the others: COUNTER_ENDING + enum ending; behind
 * them those of messages, and who refused recipients. */
#ifndef POSTERN_LIB_METRICS_COUNTER_H
#define POSTERN_LIB_METRICS_COUNTER_H

#include "lib/policy/policy.h"
#include "lib/record/ending.h"
#include "lib/record/message_ending.h"

#include <stdint.h>

enum counter_kind {
	COUNTER_KIND_TOTAL, /* only grows */
	COUNTER_KIND_GAUGE, /* as it is now */
	COUNTER_KIND_TABLE, /* only grows, until the kernel's table is made anew */
};

/* X(identifier, name, kind, help) */
#define COUNTER_TABLE(X)                                                                           \
	/* relay */                                                                                \
	X(FLOWS_ACCEPTED, "flows-accepted", TOTAL, "connections that a relay took")                \
	X(FLOWS_LIVE, "flows-live", GAUGE, "flows now")                                            \
	X(FLOWS_SERVED, "flows-served", TOTAL, "flows that got a server's greeting")               \
	X(FLOWS_HANDED, "flows-handed", TOTAL, "clients that relays handed to smtp processes")     \
	X(FLOWS_HANDED_AGAIN, "flows-handed-again", TOTAL,                                         \
		"of these, again, as an smtp process ended before it took them")                   \
	X(FLOWS_TAKEN, "flows-taken", TOTAL, "clients that smtp processes took from relays")       \
	X(TEXTS_WITHOUT_ROOM, "texts-without-room", TOTAL,                                         \
		"messages that could not be kept until they were judged: 452")                     \
	X(LISTENERS_ACCEPTED, "listeners-accepted", TOTAL, "connections that listeners took")      \
	X(VERDICT_REDIRECT, "verdict-redirect", TOTAL, "connections with verdict redirect")        \
	X(VERDICT_ANSWER, "verdict-answer", TOTAL, "connections with verdict answer")              \
	X(VERDICT_PASS, "verdict-pass", TOTAL, "admissions with verdict pass")                     \
	X(VERDICT_REJECT, "verdict-reject", TOTAL, "admissions with verdict reject")               \
	X(VERDICT_DROP, "verdict-drop", TOTAL, "admissions with verdict drop")                     \
	X(BYTES_FROM_CLIENT, "bytes-from-client", TOTAL, "bytes relayed from clients to servers")  \
	X(BYTES_FROM_SERVER, "bytes-from-server", TOTAL, "bytes relayed from servers to clients")  \
	X(BYTES_SPLICED, "bytes-spliced", TOTAL, "of the bytes relayed, those never copied")       \
	X(MESSAGES, "messages", TOTAL,                                                             \
		"messages that servers took; within TLS that is passed on none is seen")           \
	X(RECIPIENTS_INCOMING, "recipients-incoming", TOTAL,                                       \
		"recipients that servers took whose domain is one of the policy's")                \
	X(RECIPIENTS_OUTGOING, "recipients-outgoing", TOTAL,                                       \
		"recipients that servers took of others")                                          \
	X(SCANS, "scans", TOTAL, "messages that scans were to judge, once with each scan")         \
	X(SCANS_REFUSED, "scans-refused", TOTAL, "messages and recipients that a scan said no to") \
	X(SCANS_FAILED, "scans-failed", TOTAL,                                                     \
		"messages that a scan did not judge: not to be had, late, broken or full")         \
	X(MESSAGES_UNSCANNED, "messages-unscanned", TOTAL,                                         \
		"of these, those that went on, as their scan says on-failure accept")              \
	X(MESSAGES_OVER_LIMIT, "messages-over-limit", TOTAL, "messages refused over a limit")      \
	X(RECIPIENTS_OVER_LIMIT, "recipients-over-limit", TOTAL,                                   \
		"recipients refused over a limit, also by rules that say audit off")               \
	X(LIMITS_FULL_MESSAGES, "limits-full-messages", TOTAL,                                     \
		"messages and recipients refused because the table of their limits was full")      \
	X(TLS_CLIENTS, "tls-clients", TOTAL, "handshakes of TLS done with clients")                \
	X(TLS_INVALID_CLIENT_CERTIFICATE, "tls-invalid-client-certificate", TOTAL,                 \
		"of these, with a certificate of the client's that is not valid")                  \
	X(TLS_CLIENTS_FAILED_CLOSED, "tls-clients-failed-closed", TOTAL,                           \
		"handshakes with clients that failed: the client closed")                          \
	X(TLS_CLIENTS_FAILED_VERSION, "tls-clients-failed-version", TOTAL,                         \
		"handshakes with clients that failed: no version of TLS in common")                \
	X(TLS_CLIENTS_FAILED_CIPHER, "tls-clients-failed-cipher", TOTAL,                           \
		"handshakes with clients that failed: no cipher, group or key in common")          \
	X(TLS_CLIENTS_FAILED_DISTRUST, "tls-clients-failed-distrust", TOTAL,                       \
		"handshakes with clients that failed: the client does not trust the certificate")  \
	X(TLS_CLIENTS_FAILED_PROTOCOL, "tls-clients-failed-protocol", TOTAL,                       \
		"handshakes with clients that failed: what came is not TLS, or another protocol")  \
	X(TLS_CLIENTS_FAILED_SLOW, "tls-clients-failed-slow", TOTAL,                               \
		"handshakes with clients that failed: they took longer than 30 s")                 \
	X(TLS_CLIENTS_FAILED_INTERNAL, "tls-clients-failed-internal", TOTAL,                       \
		"handshakes with clients that failed: no certificate, memory or call of ours")     \
	X(CONNECTS, "connects", TOTAL, "connections tried to servers")                             \
	X(CONNECTS_FAILED, "connects-failed", TOTAL, "connections to servers that failed")         \
	X(SERVER_TLS, "server-tls", TOTAL, "handshakes of TLS with servers")                       \
	X(SERVER_TLS_FAILED, "server-tls-failed", TOTAL, "handshakes with servers that failed")    \
	X(LOGINS_AT_SERVERS_REFUSED, "logins-at-servers-refused", TOTAL,                           \
		"logins of servers' accounts that their hosts refused")                            \
	X(HOSTS_ASKED, "hosts-asked", TOTAL, "hosts asked for XCLIENT and XFORWARD")               \
	X(HOSTS_REFUSED, "hosts-refused", TOTAL, "hosts found to be unusable")                     \
	X(IDENTITY_LATE, "identity-late", TOTAL,                                                   \
		"identities found only after waiting messages were read")                          \
	X(SYN_EMPTY, "syn-empty", TOTAL, "connections without a saved SYN (SYN cookies)")          \
	X(ACCEPT_PAUSED, "accept-paused", TOTAL, "times that accepting paused for a shortage")     \
	X(PIPES_SHORT, "pipes-short", TOTAL, "times that bulk was copied for want of a pipe")      \
	X(LIMITS_FULL, "limits-full", TOTAL, "limits not counted because their table was full")    \
	/* admission */                                                                            \
	X(ADMISSIONS, "admissions", TOTAL, "first packets decided")                                \
	X(ADMISSIONS_CACHED, "admissions-cached", TOTAL, "decisions left with the kernel")         \
	X(ADMISSIONS_UNCACHED, "admissions-uncached", TOTAL,                                       \
		"decisions that hold for one connection only")                                     \
	X(ADMISSIONS_LATE, "admissions-late", TOTAL, "first packets released undecided")           \
	X(ADMISSIONS_SHED, "admissions-shed", TOTAL,                                               \
		"first packets reset because more came than could be decided")                     \
	X(ADMISSIONS_MALFORMED, "admissions-malformed", TOTAL,                                     \
		"first packets reset because they could not be parsed")                            \
	X(QUEUE_STUCK, "queue-stuck", TOTAL, "packets in the queue that nobody decided: dropped")  \
	X(QUEUE_OVERRUNS, "queue-overruns", TOTAL, "times that the packet queue overran")          \
	X(ENTRIES_ADDED, "entries-added", TOTAL, "entries put into the kernel's client maps")      \
	X(ENTRIES_DELETED, "entries-deleted", TOTAL, "entries taken out of them")                  \
	X(ENTRIES_FAILED, "entries-failed", TOTAL, "entries that the kernel did not take")         \
	X(ENTRIES, "entries", GAUGE, "entries in the kernel's client maps")                        \
	/* the kernel's own */                                                                     \
	X(STEERED, "steered", TABLE, "connections steered to the relays by the table in force")    \
	X(QUEUED, "queued", TABLE, "first packets queued by the table in force")                   \
	X(LIMITED, "limited", TABLE, "first packets over the kernel's rate limit")                 \
	X(POSTURE_RESET, "posture-reset", TABLE, "undecided connections reset")                    \
	X(POSTURE_PASSED, "posture-passed", TABLE, "undecided connections passed")                 \
	X(BYPASSED, "bypassed", TABLE, "connections passed by bypass")                             \
	X(STRAYS_RESET, "strays-reset", TABLE, "packets of unknown connections reset")             \
	X(PATHS_BEGUN, "paths-begun", TABLE, "connections taken to their server by the kernel")    \
	X(PATHS_LOST, "paths-lost", TABLE,                                                         \
		"connections reset, as their path in the kernel led nowhere")                      \
	/* keeper */                                                                               \
	X(HEALED_TABLE, "healed-table", TOTAL, "times the table was put back")                     \
	X(HEALED_ROUTE, "healed-route", TOTAL, "times the policy route was put back")              \
	X(PROCESSES_STARTED, "processes-started", TOTAL,                                           \
		"processes started again after their end")                                         \
	X(PROCESSES_KILLED, "processes-killed", TOTAL, "processes killed for a missed heartbeat")  \
	X(LISTENERS_CLOSED, "listeners-closed", TOTAL, "times the listeners had to be closed")     \
	/* sessions */                                                                             \
	X(SESSIONS, "sessions", GAUGE, "sessions now, without devices")                            \
	X(LOGINS, "logins", TOTAL, "logins that made a session")                                   \
	X(LOGINS_RENEWED, "logins-renewed", TOTAL, "logins that renewed one")                      \
	X(LOGINS_REPLACED, "logins-replaced", TOTAL, "logins that ended another user's session")   \
	X(LOGINS_REFUSED, "logins-refused", TOTAL, "logins refused")                               \
	X(LOGINS_OVER_LIMIT, "logins-over-limit", TOTAL, "logins over the sessions per user")      \
	X(LOGOUTS, "logouts", TOTAL, "sessions logged out")                                        \
	X(LEASES_ENDED, "leases-ended", TOTAL, "sessions whose lease or idle time ran out")        \
	X(ADDRESSES_LEARNED, "addresses-learned", TOTAL, "addresses added to a session's MAC")     \
	X(BLOCKS, "blocks", GAUGE, "clients that are blocked now")                                 \
	X(BLOCKS_BY_LIMIT, "blocks-by-limit", TOTAL, "blocks that a limit made")                   \
	/* audit */                                                                                \
	X(AUDIT_WRITTEN, "audit-written", TOTAL, "audit records stored")                           \
	X(AUDIT_LOST, "audit-lost", TOTAL, "audit records that could not be stored")               \
	X(AUDIT_EXPIRED, "audit-expired", TOTAL, "audit records removed by age or size")           \
	X(PATH_LOG_LOST, "path-log-lost", TOTAL,                                                   \
		"times that the log of flows of path kernel was fuller than it was read")          \
	X(PATH_UNTRACKED, "path-untracked", TOTAL,                                                 \
		"flows of path kernel cut without a record, as too many were there at once")       \
	X(AUDIT_SKIPPED, "audit-skipped", TOTAL,                                                   \
		"refusals and messages given up not recorded: too many")                           \
	/* health */                                                                               \
	X(DNS_QUERIES, "dns-queries", TOTAL, "questions sent to DNS servers")                      \
	X(DNS_ANSWERS, "dns-answers", TOTAL, "answers with what was asked for")                    \
	X(DNS_NEGATIVE, "dns-negative", TOTAL, "answers that there is no such name or record")     \
	X(DNS_FAILED, "dns-failed", TOTAL, "questions without an answer, or with an error")        \
	X(DNS_MALFORMED, "dns-malformed", TOTAL, "answers that could not be read")                 \
	X(DNS_REFUSED, "dns-refused", GAUGE, "addresses in answers that no server may have")       \
	X(NAMES, "names", GAUGE, "names and kinds of record held")                                 \
	X(NAMES_STALE, "names-stale", GAUGE, "of these, held over because DNS is down")            \
	X(NAMES_SHARED, "names-shared", TOTAL, "look-ups that were served by a name held")         \
	X(LOOKUPS, "lookups", TOTAL, "names of listeners' clients that were asked for")            \
	X(LOOKUPS_HELD, "lookups-held", TOTAL, "of these, answered by what was held")              \
	X(LOOKUPS_NAMED, "lookups-named", TOTAL, "look-ups by DNS that found the client's name")   \
	X(LOOKUPS_NAMELESS, "lookups-nameless", TOTAL,                                             \
		"look-ups by DNS that found that the client has none")                             \
	X(LOOKUPS_FAILED, "lookups-failed", TOTAL, "look-ups that DNS could not answer whole")     \
	X(LOOKUPS_TIMED_OUT, "lookups-timed-out", TOTAL,                                           \
		"look-ups that DNS did not answer within 5 s")                                     \
	X(LOOKUPS_GIVEN_UP, "lookups-given-up", TOTAL,                                             \
		"look-ups given up earlier: too many were under way")                              \
	X(LOOKUPS_UNANSWERED, "lookups-unanswered", TOTAL,                                         \
		"clients of listeners whose names were waited for in vain")                        \
	X(AUTH_PASSED, "auth-passed", TOTAL, "clients of listeners that logged in")                \
	X(AUTH_REFUSED, "auth-refused", TOTAL, "logins refused: user or password wrong")           \
	X(AUTH_LATER, "auth-later", TOTAL, "logins put off: it could not be found out who it is")  \
	X(AUTH_LIMITED, "auth-limited", TOTAL,                                                     \
		"logins put off without asking: too many were refused before")                     \
	X(AUTH_MALFORMED, "auth-malformed", TOTAL,                                                 \
		"logins in a mechanism that is not offered, or in none")                           \
	X(LOOKUPS_LIVE, "lookups-live", GAUGE, "look-ups under way")                               \
	X(PORTAL_CONNECTIONS, "portal-connections", TOTAL, "connections to login pages")           \
	X(PORTAL_CONNECTIONS_REFUSED, "portal-connections-refused", TOTAL,                         \
		"of others, closed at once: of no zone, or too many of a device or in all")        \
	X(PORTAL_FAILURES, "portal-failures", TOTAL, "logins at login pages that were refused")    \
	X(PORTAL_PUT_OFF, "portal-put-off", TOTAL,                                                 \
		"logins at login pages that were not looked at, as too many had failed")           \
	X(PROBES, "probes", TOTAL, "connections made to probe hosts")                              \
	X(PROBES_FAILED, "probes-failed", TOTAL, "of these, not answered as they should be")       \
	X(PROBES_REFUSED, "probes-refused", TOTAL, "of these, hosts found unusable")               \
	X(TARGETS, "targets", GAUGE, "hosts of all servers")                                       \
	X(TARGETS_DOWN, "targets-down", GAUGE, "of these, down or never to be used")               \
	X(TARGETS_CHANGES, "targets-changes", TOTAL, "changes of the state of a host")             \
	/* control */                                                                              \
	X(POLICIES_APPLIED, "policies-applied", TOTAL, "policies applied")                         \
	X(POLICIES_REFUSED, "policies-refused", TOTAL, "policies refused")                         \
	X(REQUESTS, "requests", TOTAL, "requests on the control sockets")                          \
	X(REQUESTS_REFUSED, "requests-refused", TOTAL, "requests that were refused")               \
	X(IPC_SENT, "ipc-sent", TOTAL, "ipc to other processes of Postern")                        \
	X(IPC_RECEIVED, "ipc-received", TOTAL, "ipc from other processes of Postern")              \
	X(IPC_BAD, "ipc-bad", TOTAL, "ipc from other processes not understood")                    \
	X(IPC_LOST, "ipc-lost", TOTAL, "ipc to other processes not delivered")

enum counter {
#define COUNTER_ENUM(id, name, kind, help) COUNTER_##id,
	COUNTER_TABLE(COUNTER_ENUM)
#undef COUNTER_ENUM
		COUNTER_ENDING, /* the first of ENDINGS */
};

#define COUNTER_MESSAGE_ENDING (COUNTER_ENDING + ENDINGS) /* the first of MESSAGE_ENDINGS */
#define COUNTER_RECIPIENT_BY   (COUNTER_MESSAGE_ENDING + MESSAGE_ENDINGS) /* of MESSAGE_BYS */
#define COUNTERS               (COUNTER_RECIPIENT_BY + MESSAGE_BYS)

/* name, kind and help of each, by number from 0 to COUNTERS - 1. The names of endings begin with
 * "ended-", of messages' endings "message-", of recipients "recipient-by-". */
const char *counter_name(unsigned counter);
const char *counter_help(unsigned counter);
enum counter_kind counter_kind_of(unsigned counter);
/* What it was called in the version before, for who still asks by that: COUNTER_FORMER_SIZE has
 * room for the help that goes with it. NULL: always as now. */
#define COUNTER_FORMER_SIZE 80
const char *counter_former(unsigned counter, char help[static COUNTER_FORMER_SIZE]);

static inline unsigned counter_of_ending(enum ending ending)
{
	return COUNTER_ENDING + ending;
}

unsigned counter_of_verdict(enum policy_verdict verdict);

/* Adds all values of part to sum. */
void counter_sum(uint64_t sum[static COUNTERS], const uint64_t part[static COUNTERS]);

#endif
