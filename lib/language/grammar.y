/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the grammar of the language. Its actions only call language_build*.c, which fill the
 * policy; what a statement means is checked there and in language_check*.c.
 *
 * No word that starts a statement is an option word in the same block, so that a new statement can
 * never change what an old text means (test/unit/language_grammar.c reads this file and compares
 * the sets). */
%require "3.8"
%define api.pure full
%define api.prefix {grammar_}
%define api.token.prefix {T_}
%define api.header.include {"lib/language/grammar.h"}
%define api.location.type {struct language_span}
%define parse.error custom
%define parse.lac full
%param {struct language *l}

%code requires {
#include "lib/language/parse.h"
}

%code {
#include "lib/language/build/language_build.h"

static int grammar_lex(GRAMMAR_STYPE *value, struct language_span *span, struct language *l);
static void grammar_error(const struct language_span *span, struct language *l, const char *text);

#define YYLLOC_DEFAULT(current, rhs, n)                                                            \
	((current) = (n) ? YYRHSLOC(rhs, 1) : (struct language_span){YYRHSLOC(rhs, 0).place, 1})
/* Blocks nest four deep; a stack for 200 is 40 KiB to be prepared for every text. It grows. */
#define YYINITDEPTH 40
/* After an error: on with the next statement of the block, or no further at the text's end. */
#define RECOVER(kind)                                                                              \
	do {                                                                                       \
		if (!language_recover(l, kind, yychar))                                            \
			YYABORT;                                                                   \
		yyclearin;                                                                         \
		yyerrok;                                                                           \
	} while (0)
}

%union {
	struct language_token token;
	struct policy_string string;
	struct policy_act act;
	struct language_count count;
	uint64_t number;
	int choice;
}

%token END 0 "end of file"
%token <token> STRING "a string" WORD "a name" OTHER "a word" NUMBER "a number"
%token <token> DURATION "a duration such as 30s, 5m or 24h" SIZE "a size such as 500m or 2g"
%token <token> MINUTES "an amount such as 5m" RATE "a rate such as 20/minute"
%token <token> ADDRESS "an address" PREFIX "a network" MACADDR "a MAC" RANGE "a range"
%token <token> DAY "a day" DAYRANGE "days such as mon-fri" HOURS "hours such as 08:00-18:00"

/* Reserved for ever: never a name, never a bare string. */
%token <token> ANY "any" CLIENT "client" DEFINE "define" FILE "file" GATEWAY "gateway"
%token <token> GROUP "group" INCLUDE "include" NONE "none" NOT "not" ORIGINAL "original"
%token <token> OWN "own" PROTECTED "protected" RECIPIENT "recipient"

/* Keywords only where the grammar has them. */
%token <token> AUTH "auth" BASE "base" DOVECOT "dovecot" FILTER "filter" FORWARD "forward"
%token <token> CLAMAV "clamav" MILTER "milter" MODE "mode" QUARANTINE "quarantine" SCAN "scan"
%token <token> STREAM "stream" TEMPFAIL "tempfail" WHOLE "whole"
%token <token> CLASS "class" CUI "cui" END_WORD "end" FILTER_ID "filter-id" FROM "from" IGNORE "ignore"
%token <token> NAS "nas" RADIUS "radius" RESTART "restart" SKEW "skew" SSID "ssid" TIMEOUT "timeout"
%token <token> USER_NAME "user-name" WLAN "wlan"
%token <token> HTTP "http" LOGO "logo" PORTAL "portal" TERMS "terms" TEXTS "texts"
%token <token> LDAP "ldap" MECHANISM "mechanism" PREFIX_WORD "prefix"
%token <token> ACCEPT "accept" ACCOUNT "account" ADDRESS_WORD "address" ALWAYS "always" ANNOUNCE "announce" ANSWER "answer" AUTO "auto"
%token <token> CA "ca" CERTIFICATE "certificate" CHECK "check"
%token <token> AUDIT "audit" BIND "bind" BLOCK "block" CLOSED "closed" COMMAND "command" COMMENT "comment" CONNECT "connect" CONNECTION "connection"
%token <token> DEADLINE "deadline" DEBUG "debug" DESTINATION "destination" DEVICE "device"
%token <token> DISABLED "disabled" DOMAIN "domain" DRAIN "drain" DROP "drop" DYNAMIC "dynamic" ERROR "error"
%token <token> EVERY "every" FIRST "first" FLOW "flow" FLOWS "flows" GREETING "greeting" HOST "host"
%token <token> HOSTNAME "hostname" IDENTITY "identity" IDLE "idle" IMMEDIATE "immediate" INFO "info"
%token <token> INSECURE "insecure" KEY "key" LEGACY "legacy" OFFER "offer" PIN "pin" REQUEST "request"
%token <token> REQUIRE "require" SECRET "secret" TLS "tls" VERIFIED "verified" VERIFY "verify"
%token <token> ON_LINK_DOWN "on-link-down" OVER "over" REAUTHENTICATE "reauthenticate"
%token <token> REFUSE "refuse" REPLACE "replace"
%token <token> INTERFACE "interface" KEEP "keep" KERNEL "kernel" KILL "kill" LANGUAGE "language" LEASE "lease"
%token <token> LEVEL "level" LIMIT "limit" LIST "list" LISTEN "listen" LISTENER "listener" LOG "log" LOGIN "login"
%token <token> MAC "mac" MAC_ADDRESS "mac+address" MAIL "mail" MESSAGE "message" MESSAGES "messages"
%token <token> METRICS "metrics" MX "mx" NAME_WORD "name" NAMES "names" NETWORK "network" NEWLINE "newline"
%token <token> OFF "off" ON "on" ON_FAILURE "on-failure" ON_LOGOUT "on-logout" OPEN "open"
%token <token> PASS "pass" PATH "path" PER "per" PLAIN "plain" PORT "port" PREFERENCE "preference"
%token <token> PRIVACY "privacy" PROBE "probe" PROXY_V1 "proxy-v1" PROXY_V2 "proxy-v2"
%token <token> RATE_WORD "rate" RECIPIENTS "recipients" REJECT "reject" RELAY "relay" REPAIR "repair" RULE "rule"
%token <token> SCHEDULE "schedule" SENDER "sender" SERVER "server"
%token <token> SESSIONS "sessions" SIZE_WORD "size" SMTP "smtp" SOURCE "source"
%token <token> STRICT "strict" TRACE "trace"
%token <token> TAGGED "tagged" UNAUTHENTICATED "unauthenticated" UNMATCHED "unmatched" USER "user"
%token <token> VERDICT "verdict" WARNING "warning" WEIGHT "weight" XCLIENT "xclient" ZONE "zone"

%type <token> word string_token quoted_token elem
%type <string> name text string
%type <act> act
%type <number> duration size number port_number
%type <choice> posture on_off login log_level not per rate_per level newline
%type <choice> radius_user radius_group
%type <choice> scan_mode scan_failure scan_quarantine
%type <choice> client_tls_mode client_tls_client server_tls_mode
%type <count> rate

%%

policy: top_statements;

top_statements: %empty | top_statements ';' | top_statements top_statement;

top_statement:
	LANGUAGE NUMBER			{ language_version(l, &@1, &@2, $2.number); }
	| HOSTNAME text			{ language_hostname(l, &@1, &@2, &$2); }
	| ON_FAILURE posture		{ language_on_failure(l, &@1, (enum policy_posture)$2); }
	| DRAIN duration		{ language_drain(l, &@1, &@2, $2); }
	| INCLUDE text			{ language_include(l, &@2, &$2); }
	| LIMIT FLOWS number		{ language_top_limit(l, &@1, &@3, $3); }
	| AUDIT '{' { language_audit(l, &@1); } audit_statements '}'
	| LOG LEVEL log_level		{ language_log_level(l, &@1, (enum policy_log_level)$3); }
	| METRICS LISTEN ADDRESS PORT port_number
					{ language_metrics(l, &@1, &@3, &$3, &@5, (uint16_t)$5); }
	| ZONE name { language_zone_begin(l, &@2, &$2); } '{' zone_statements '}'
					{ language_zone_end(l); }
	| LIST name { language_list_begin(l, &@2, &$2); } list_holds list_body
					{ language_list_end(l); }
	| CERTIFICATE name { language_certificate_begin(l, &@2, &$2); }
		'{' certificate_statements '}'	{ language_certificate_end(l); }
	| AUTH name { language_auth_begin(l, &@2, &$2); } '{' auth_statements '}'
					{ language_auth_end(l); }
	| LISTENER name { language_listener_begin(l, &@2, &$2); }
		'{' listener_statements '}' { language_listener_end(l); }
	| DOMAIN name { language_domain_begin(l, &@2, &$2); } '{' domain_statements '}'
					{ language_domain_end(l); }
	| SERVER name { language_server_begin(l, &@2, &$2); } '{' server_statements '}'
					{ language_server_end(l); }
	| SCAN name { language_scan_begin(l, &@2, &$2); } '{' scan_statements '}'
					{ language_scan_end(l); }
	| RADIUS name { language_radius_begin(l, &@2, &$2); } '{' radius_statements '}'
					{ language_radius_end(l); }
	| PORTAL name { language_portal_begin(l, &@2, &$2); } '{' portal_statements '}'
					{ language_portal_end(l); }
	| DEVICE name { language_device_begin(l, &@2, &$2); } '{' device_statements '}'
					{ language_device_end(l); }
	| RULE name { language_rule_begin(l, &@2, &$2); } '{' rule_statements '}'
					{ language_rule_end(l); }
	| error				{ RECOVER(LANGUAGE_BLOCK_TOP); };

audit_statements: %empty | audit_statements ';' | audit_statements audit_statement;

audit_statement:
	KEEP duration			{ language_audit_keep(l, &@1, &@2, $2); }
	| SIZE_WORD size		{ language_audit_size(l, &@1, $2); }
	| NAMES PLAIN			{ language_audit_names(l, &@1, false); }
	| NAMES NONE			{ language_audit_names(l, &@1, true); }
	| PRIVACY PLAIN			{ language_audit_privacy(l, &@1, false); }
	| PRIVACY OFF			{ language_audit_privacy(l, &@1, true); }
	| error				{ RECOVER(LANGUAGE_BLOCK_AUDIT); };

log_level:
	ERROR				{ $$ = POLICY_LOG_ERROR; }
	| WARNING			{ $$ = POLICY_LOG_WARNING; }
	| INFO				{ $$ = POLICY_LOG_INFO; }
	| DEBUG				{ $$ = POLICY_LOG_DEBUG; };

posture:
	CLOSED				{ $$ = POLICY_POSTURE_CLOSED; }
	| OPEN				{ $$ = POLICY_POSTURE_OPEN; };

/* --- zone */

zone_statements: %empty | zone_statements ';' | zone_statements zone_statement;

zone_statement:
	INTERFACE texts			{ language_zone_interfaces(l); }
	| NETWORK networks		{ language_zone_networks(l, &@1); }
	| PORT ports			{ language_zone_ports(l, &@1); }
	| IDENTITY MAC		{ language_zone_identity(l, &@1, &@2, POLICY_IDENTITY_MAC); }
	| IDENTITY ADDRESS_WORD	{ language_zone_identity(l, &@1, &@2, POLICY_IDENTITY_ADDRESS); }
	| IDENTITY MAC_ADDRESS
			{ language_zone_identity(l, &@1, &@2, POLICY_IDENTITY_MAC_ADDRESS); }
	| UNAUTHENTICATED act		{ language_zone_unauthenticated(l, &@1, &$2); }
	| UNMATCHED act			{ language_zone_unmatched(l, &@1, &$2); }
	| ON_FAILURE posture	{ language_zone_on_failure(l, &@1, (enum policy_posture)$2); }
	| LEASE duration		{ language_zone_lease(l, &@1, &@2, $2); }
	| LEASE NONE			{ language_zone_lease(l, &@1, NULL, 0); }
	| IDLE duration			{ language_zone_idle(l, &@1, &@2, $2); }
	| IDLE NONE			{ language_zone_idle(l, &@1, NULL, 0); }
	| REAUTHENTICATE duration	{ language_zone_reauthenticate(l, &@1, &@2, $2); }
	| REAUTHENTICATE NONE		{ language_zone_reauthenticate(l, &@1, NULL, 0); }
	| ON_LINK_DOWN KEEP		{ language_zone_on_link_down(l, &@1, false); }
	| ON_LINK_DOWN END_WORD		{ language_zone_on_link_down(l, &@1, true); }
	| ON_LOGOUT KILL		{ language_zone_on_logout(l, &@1, false); }
	| ON_LOGOUT KEEP		{ language_zone_on_logout(l, &@1, true); }
	| LEVEL level	{ language_zone_level(l, &@1, (enum policy_level)$2); }
	| NEWLINE newline	{ language_zone_newline(l, &@1, (enum policy_newline)$2); }
	| TLS { language_client_tls_begin(l, &@1); } client_tls	{ language_zone_tls(l, &@1); }
	| limit
	| LIMIT SESSIONS number PER USER { language_sessions_begin(l); } sessions_block
		{ language_limit(l, &@1, &@3, POLICY_LIMIT_SESSIONS, $3, 0, POLICY_PER_USER); }
	| COMMENT text			{ language_zone_comment(l, &@1, &@2, &$2); }
	| error				{ RECOVER(LANGUAGE_BLOCK_ZONE); };

sessions_block: %empty | '{' sessions_options '}';

sessions_options: %empty | sessions_options ';' | sessions_options sessions_option;

sessions_option:
	OVER REFUSE			{ language_limit_over(l, &@1, false); }
	| OVER REPLACE			{ language_limit_over(l, &@1, true); }
	| error				{ RECOVER(LANGUAGE_BLOCK_SESSIONS); };

level:
	AUTO				{ $$ = POLICY_LEVEL_AUTO; }
	| CONNECTION			{ $$ = POLICY_LEVEL_CONNECTION; }
	| MESSAGE			{ $$ = POLICY_LEVEL_MESSAGE; };

newline:
	STRICT				{ $$ = POLICY_NEWLINE_STRICT; }
	| REPAIR			{ $$ = POLICY_NEWLINE_REPAIR; };

/* --- TLS on the clients' side */

client_tls:
	client_tls_mode	{ language_client_tls_mode(l, (enum policy_tls)$1); } client_tls_block;

client_tls_mode:
	NONE				{ $$ = POLICY_TLS_NONE; }
	| OFFER				{ $$ = POLICY_TLS_OFFER; }
	| REQUIRE			{ $$ = POLICY_TLS_REQUIRE; }
	| IMMEDIATE			{ $$ = POLICY_TLS_IMMEDIATE; };

client_tls_block: %empty | '{' client_tls_options '}';

client_tls_options: %empty | client_tls_options ';' | client_tls_options client_tls_option;

client_tls_option:
	CERTIFICATE names		{ language_client_tls_certificates(l, &@1); }
	| CLIENT client_tls_client
		{ language_client_tls_client(l, &@1, (enum policy_tls_client)$2); }
	| CA text			{ language_tls_ca(l, &@1, &@2, &$2, &l->client_tls.ca,
					  &l->client_tls.ca_at); }
	| LEGACY			{ language_client_tls_legacy(l, &@1); }
	| INSECURE			{ language_client_tls_insecure(l, &@1); }
	| error				{ RECOVER(LANGUAGE_BLOCK_CLIENT_TLS); };

client_tls_client:
	NONE				{ $$ = POLICY_TLS_CLIENT_NONE; }
	| REQUEST			{ $$ = POLICY_TLS_CLIENT_REQUEST; }
	| CHECK				{ $$ = POLICY_TLS_CLIENT_CHECK; }
	| REQUIRE			{ $$ = POLICY_TLS_CLIENT_REQUIRE; };

/* --- certificate */

certificate_statements:
	%empty | certificate_statements ';' | certificate_statements certificate_statement;

certificate_statement:
	FILE text			{ language_certificate_file(l, &@1, &@2, &$2, false); }
	| KEY text			{ language_certificate_file(l, &@1, &@2, &$2, true); }
	| error				{ RECOVER(LANGUAGE_BLOCK_CERTIFICATE); };

/* --- auth */

auth_statements: %empty | auth_statements ';' | auth_statements auth_statement;

auth_statement:
	LDAP quoted { language_auth_ldap(l, &@1); } '{' ldap_options '}'
	| FORWARD name			{ language_auth_forward(l, &@1, &@2, &$2); }
	| DOVECOT text		{ language_auth_path(l, &@1, &@2, &$2, POLICY_AUTH_DOVECOT); }
	| FILE text		{ language_auth_path(l, &@1, &@2, &$2, POLICY_AUTH_FILE); }
	| MECHANISM texts		{ language_auth_mechanisms(l, &@1); }
	| DOMAIN text			{ language_auth_domain(l, &@1, &@2, &$2); }
	| COMMENT text			{ language_auth_comment(l, &@1, &@2, &$2); }
	| error				{ RECOVER(LANGUAGE_BLOCK_AUTH); };

ldap_options: %empty | ldap_options ';' | ldap_options ldap_option;

ldap_option:
	BASE text		{ language_ldap_text(l, &@1, &@2, &$2, LANGUAGE_LDAP_BASE); }
	| FILTER text		{ language_ldap_text(l, &@1, &@2, &$2, LANGUAGE_LDAP_FILTER); }
	| BIND text		{ language_ldap_text(l, &@1, &@2, &$2, LANGUAGE_LDAP_BIND); }
	| SECRET FILE text	{ language_ldap_file(l, &@1, &@3, &$3, LANGUAGE_LDAP_SECRET); }
	| GROUP text		{ language_ldap_text(l, &@1, &@2, &$2, LANGUAGE_LDAP_GROUP); }
	| PREFIX_WORD text	{ language_ldap_text(l, &@1, &@2, &$2, LANGUAGE_LDAP_PREFIX); }
	| MAIL text		{ language_ldap_text(l, &@1, &@2, &$2, LANGUAGE_LDAP_MAIL); }
	| CA text		{ language_ldap_file(l, &@1, &@2, &$2, LANGUAGE_LDAP_CA); }
	| INSECURE			{ language_ldap_insecure(l, &@1); }
	| error				{ RECOVER(LANGUAGE_BLOCK_LDAP); };

/* --- listener */

listener_statements:
	%empty
	| listener_statements ';'
	| listener_statements listener_statement;

listener_statement:
	ADDRESS_WORD addresses		{ language_listener_addresses(l, &@1); }
	| PORT ports			{ language_listener_ports(l, &@1); }
	| AUTH names			{ language_listener_auth(l, &@1); }
	| ACCEPT not ANY		{ language_listener_accept(l, &@1, &@3, $2, true); }
	| ACCEPT not sources		{ language_listener_accept(l, &@1, &@1, $2, false); }
	| TLS { language_client_tls_begin(l, &@1); } client_tls { language_listener_tls(l, &@1); }
	| NEWLINE newline
		{ language_listener_newline(l, &@1, (enum policy_newline)$2); }
	| UNMATCHED act			{ language_listener_unmatched(l, &@1, &$2); }
	| limit
	| COMMENT text			{ language_listener_comment(l, &@1, &@2, &$2); }
	| error				{ RECOVER(LANGUAGE_BLOCK_LISTENER); };

addresses: address_first | addresses ',' address;

address_first: { language_items_clear(l); } address;

address: ADDRESS			{ language_item_elem(l, &@1, &$1); };

/* --- domain */

domain_statements: %empty | domain_statements ';' | domain_statements domain_statement;

domain_statement:
	NAME_WORD domains		{ language_domain_names(l, &@1); }
	| SERVER name			{ language_domain_server(l, &@1, &@2, &$2); }
	| RECIPIENT ANY			{ language_domain_recipients(l, &@1, true); }
	| RECIPIENT addressees		{ language_domain_recipients(l, &@1, false); }
	| COMMENT text			{ language_domain_comment(l, &@1, &@2, &$2); }
	| error				{ RECOVER(LANGUAGE_BLOCK_DOMAIN); };

domains: domain_first | domains ',' domain;

domain_first: { language_items_clear(l); } domain;

domain:
	STRING				{ language_item_domain(l, &@1, &$1); }
	| name				{ language_item_string(l, &@1, &$1); };

addressees: addressee_first | addressees ',' mail;

addressee_first: { language_items_clear(l); } mail;

/* --- limits of zones, listeners and rules */

limit:
	LIMIT FLOWS number per
		{ language_limit(l, &@1, &@3, POLICY_LIMIT_FLOWS, $3, 0, (enum policy_per)$4); }
	| LIMIT RATE_WORD rate per { language_limit_begin(l); } limit_block
		{ language_limit(l, &@1, &@3, POLICY_LIMIT_RATE, $3.count, $3.seconds,
			(enum policy_per)$4); }
	| LIMIT MESSAGES rate rate_per { language_limit_begin(l); } limit_block
		{ language_limit(l, &@1, &@3, POLICY_LIMIT_MESSAGES, $3.count, $3.seconds,
			(enum policy_per)$4); }
	| LIMIT MESSAGES number PER FLOW
		{ language_limit(l, &@1, &@3, POLICY_LIMIT_MESSAGES, $3, 0, POLICY_PER_FLOW); }
	| LIMIT RECIPIENTS rate rate_per { language_limit_begin(l); } limit_block
		{ language_limit(l, &@1, &@3, POLICY_LIMIT_RECIPIENTS, $3.count, $3.seconds,
			(enum policy_per)$4); }
	| LIMIT RECIPIENTS number PER MESSAGE
		{ language_limit(l, &@1, &@3, POLICY_LIMIT_RECIPIENTS, $3, 0, POLICY_PER_MESSAGE); }
	| LIMIT SIZE_WORD size		{ language_limit_size(l, &@1, &@3, $3); };

rate_per:
	per
	| PER SENDER			{ $$ = POLICY_PER_SENDER; };

limit_block: %empty | '{' limit_options '}';

limit_options: %empty | limit_options ';' | limit_options limit_option;

limit_option:
	BLOCK duration			{ language_limit_block(l, &@1, &@2, $2); }
	| error				{ RECOVER(LANGUAGE_BLOCK_LIMIT); };

act:
	ANSWER text			{ language_answer(l, &@2, NULL, &$2, &$$); }
	| ANSWER NUMBER text		{ language_answer(l, &@2, &$2, &$3, &$$); }
	| PASS			{ $$ = language_verdict(POLICY_VERDICT_PASS); }
	| REJECT		{ $$ = language_verdict(POLICY_VERDICT_REJECT); }
	| DROP			{ $$ = language_verdict(POLICY_VERDICT_DROP); };

per:
	%empty				{ $$ = POLICY_PER_ALL; }
	| PER CLIENT			{ $$ = POLICY_PER_CLIENT; }
	| PER USER			{ $$ = POLICY_PER_USER; };

rate: RATE				{ language_rate(l, &@1, &$1, &$$); };

/* --- list */

list_holds:
	%empty
	| ADDRESS_WORD			{ language_list_holds(l, POLICY_HOLDS_ADDRESSES); }
	| MAIL				{ language_list_holds(l, POLICY_HOLDS_MAIL); }
	| HOST				{ language_list_holds(l, POLICY_HOLDS_HOSTS); };

list_body:
	'{' '}'				{ language_items_clear(l); language_list_inline(l); }
	| '{' members '}'		{ language_list_inline(l); }
	| FILE text			{ language_list_file(l, &@2, &$2); }
	| DYNAMIC			{ language_list_dynamic(l); };

members: member_first | members ',' member;

member_first: { language_items_clear(l); } member;

/* What is wrong for the list's kind is said of each, and the rest is read. */
member:
	elem				{ language_list_member(l, &@1, &$1, NULL); }
	| text				{ language_list_member(l, &@1, NULL, &$1); };

elem: ADDRESS | PREFIX | MACADDR | RANGE;

/* --- server */

server_statements: %empty | server_statements ';' | server_statements server_statement;

server_statement:
	HOST ADDRESS { language_host_begin(l, &@1, &@2, &$2); } host_words host_block
					{ language_host_end(l); }
	| HOST text { language_host_begin_name(l, &@1, &@2, &$2); } host_words host_block
					{ language_host_end(l); }
	| MX text { language_mx_begin(l, &@1, &@2, &$2); } host_words host_block
					{ language_host_end(l); }
	| BIND GATEWAY			{ language_bind(l, &@1, &@2, POLICY_BIND_GATEWAY, NULL); }
	| BIND CLIENT			{ language_bind(l, &@1, &@2, POLICY_BIND_CLIENT, NULL); }
	| BIND ADDRESS			{ language_bind(l, &@1, &@2, POLICY_BIND_ADDRESS, &$2); }
	| ANNOUNCE announce announce_block
	| PROBE NONE			{ language_probe(l, &@1, &@2, false, NULL, 0); }
	| PROBE SMTP			{ language_probe(l, &@1, &@2, true, NULL, 0); }
	| PROBE SMTP EVERY duration	{ language_probe(l, &@1, &@2, true, &@4, $4); }
	| DEADLINE { language_deadline(l, &@1); } deadlines
	| LIMIT FLOWS number		{ language_server_limit(l, &@1, &@3, $3); }
	| TRACE on_off			{ language_server_trace(l, &@1, $2); }
	| PATH RELAY			{ language_server_path(l, &@1, POLICY_PATH_RELAY); }
	| PATH KERNEL			{ language_server_path(l, &@1, POLICY_PATH_KERNEL); }
	| TLS { language_server_tls_begin(l, &@1, false); } server_tls
					{ language_server_tls(l, &@1); }
	| ACCOUNT string { language_account(l, &@1, &@2, &$2); } '{' account_options '}'
					{ language_account_end(l); }
	| COMMENT text			{ language_server_comment(l, &@1, &@2, &$2); }
	| error				{ RECOVER(LANGUAGE_BLOCK_SERVER); };

host_words: %empty | host_words host_word;

host_word:
	PORT port_number		{ language_host_port(l, &@1, (uint16_t)$2); }
	| PREFERENCE number		{ language_host_preference(l, &@1, &@2, $2); }
	| WEIGHT number			{ language_host_weight(l, &@1, &@2, $2); };

host_block: %empty | '{' host_options '}';

host_options: %empty | host_options ';' | host_options host_option;

host_option:
	LIMIT FLOWS number		{ language_host_limit(l, &@1, &@3, $3); }
	| TLS { language_server_tls_begin(l, &@1, true); } server_tls
					{ language_host_tls(l, &@1); }
	| error				{ RECOVER(LANGUAGE_BLOCK_HOST); };

/* --- TLS towards servers, and who we are there */

server_tls: server_tls_values server_tls_block;

server_tls_values:
	server_tls_mode
		{ language_server_tls_mode(l, (enum policy_server_tls_mode)$1); }
	| VERIFY		{ language_server_tls_mode(l, POLICY_SERVER_TLS_VERIFY); }
	| VERIFY quoted		{ language_server_tls_mode(l, POLICY_SERVER_TLS_VERIFY);
				  language_server_tls_names(l); }
	| PIN quoted		{ language_server_tls_mode(l, POLICY_SERVER_TLS_PIN);
				  language_server_tls_pins(l); };

server_tls_mode:
	NONE				{ $$ = POLICY_SERVER_TLS_NONE; }
	| OFFER				{ $$ = POLICY_SERVER_TLS_OFFER; }
	| REQUIRE			{ $$ = POLICY_SERVER_TLS_REQUIRE; };

server_tls_block: %empty | '{' server_tls_options '}';

server_tls_options: %empty | server_tls_options ';' | server_tls_options server_tls_option;

server_tls_option:
	IMMEDIATE			{ language_server_tls_immediate(l, &@1); }
	| CA text			{ language_tls_ca(l, &@1, &@2, &$2, &l->server_tls.ca,
					  &l->server_tls.ca_at); }
	| CERTIFICATE name		{ language_server_tls_certificate(l, &@1, &@2, &$2); }
	| LEGACY			{ language_server_tls_legacy(l, &@1); }
	| error				{ RECOVER(LANGUAGE_BLOCK_SERVER_TLS); };

account_options: %empty | account_options ';' | account_options account_option;

account_option:
	SECRET FILE text		{ language_account_secret(l, &@1, &@3, &$3); }
	| SENDER KEEP			{ language_account_sender(l, &@1, &@2, NULL); }
	| SENDER STRING			{ language_account_sender(l, &@1, &@2, &$2); }
	| SENDER OTHER			{ language_account_sender(l, &@1, &@2, &$2); }
	| INSECURE			{ language_account_insecure(l, &@1); }
	| error				{ RECOVER(LANGUAGE_BLOCK_ACCOUNT); };

announce:
	NONE			{ language_announce(l, &@0, &@1, POLICY_ANNOUNCE_NONE); }
	| PROXY_V1		{ language_announce(l, &@0, &@1, POLICY_ANNOUNCE_PROXY_V1); }
	| PROXY_V2		{ language_announce(l, &@0, &@1, POLICY_ANNOUNCE_PROXY_V2); }
	| XCLIENT		{ language_announce(l, &@0, &@1, POLICY_ANNOUNCE_XCLIENT); };

announce_block: %empty | '{' announce_options '}';

announce_options: %empty | announce_options ';' | announce_options announce_option;

announce_option:
	LOGIN login			{ language_announce_login(l, &@1, $2); }
	| error				{ RECOVER(LANGUAGE_BLOCK_ANNOUNCE); };

deadlines: deadline | deadlines deadline;

deadline:
	FIRST duration		{ language_deadline_set(l, &@1, &@2, POLICY_SERVER_FIRST, $2); }
	| CONNECT duration	{ language_deadline_set(l, &@1, &@2, POLICY_SERVER_CONNECT, $2); }
	| GREETING duration	{ language_deadline_set(l, &@1, &@2, POLICY_SERVER_GREETING, $2); }
	| IDLE duration		{ language_deadline_set(l, &@1, &@2, POLICY_SERVER_IDLE, $2); }
	| COMMAND duration	{ language_deadline_set(l, &@1, &@2, POLICY_SERVER_COMMAND, $2); };

/* --- scan */

scan_statements: %empty | scan_statements ';' | scan_statements scan_statement;

scan_statement:
	MILTER text		{ language_scan_address(l, &@1, &@2, &$2, POLICY_SCAN_MILTER); }
	| CLAMAV text		{ language_scan_address(l, &@1, &@2, &$2, POLICY_SCAN_CLAMAV); }
	| MODE scan_mode	{ language_scan_mode(l, &@1, (enum policy_scan_mode)$2); }
	| ON_FAILURE scan_failure
		{ language_scan_on_failure(l, &@1, (enum policy_scan_failure)$2); }
	| DEADLINE duration		{ language_scan_deadline(l, &@1, &@2, $2); }
	| QUARANTINE scan_quarantine
		{ language_scan_quarantine(l, &@1, (enum policy_scan_failure)$2); }
	| COMMENT text			{ language_scan_comment(l, &@1, &@2, &$2); }
	| error				{ RECOVER(LANGUAGE_BLOCK_SCAN); };

scan_mode:
	STREAM				{ $$ = POLICY_SCAN_STREAM; }
	| WHOLE				{ $$ = POLICY_SCAN_WHOLE; };

scan_failure:
	scan_quarantine
	| ACCEPT			{ $$ = POLICY_SCAN_ACCEPT; };

scan_quarantine:
	TEMPFAIL			{ $$ = POLICY_SCAN_TEMPFAIL; }
	| REJECT			{ $$ = POLICY_SCAN_REJECT; };

/* --- radius */

radius_statements: %empty | radius_statements ';' | radius_statements radius_statement;

radius_statement:
	LISTEN addresses PORT port_number
		{ language_radius_listen(l, &@1, &@4, (uint16_t)$4); }
	| FROM networks { language_radius_from(l, &@1); } '{' radius_source_options '}'
					{ language_radius_from_end(l); }
	| ZONE name { language_radius_zone(l, &@2, &$2); } radius_zone_block
					{ language_radius_zone_end(l); }
	| USER radius_users		{ language_radius_users(l, &@1); }
	| IGNORE quoted			{ language_radius_ignore(l, &@1); }
	| GROUP radius_group
		{ language_radius_group(l, &@1, (enum policy_radius_group)$2); }
		radius_group_block
	| TIMEOUT duration		{ language_radius_timeout(l, &@1, &@2, $2); }
	| SKEW duration			{ language_radius_skew(l, &@1, &@2, $2); }
	| RESTART END_WORD		{ language_radius_restart(l, &@1, false); }
	| RESTART KEEP			{ language_radius_restart(l, &@1, true); }
	| COMMENT text			{ language_radius_comment(l, &@1, &@2, &$2); }
	| error				{ RECOVER(LANGUAGE_BLOCK_RADIUS); };

radius_source_options:
	%empty | radius_source_options ';' | radius_source_options radius_source_option;

radius_source_option:
	SECRET FILE text		{ language_radius_secret(l, &@1, &@3, &$3); }
	| error				{ RECOVER(LANGUAGE_BLOCK_RADIUS_SOURCE); };

radius_zone_block: %empty | '{' radius_zone_options '}';

radius_zone_options: %empty | radius_zone_options ';' | radius_zone_options radius_zone_option;

radius_zone_option:
	SSID quoted			{ language_radius_ssids(l, &@1); }
	| NAS quoted			{ language_radius_nases(l, &@1); }
	| WLAN wlans			{ language_radius_wlans(l, &@1); }
	| error				{ RECOVER(LANGUAGE_BLOCK_RADIUS_ZONE); };

wlans:
	number			{ language_items_clear(l); language_item_number(l, &@1, $1); }
	| wlans ',' number		{ language_item_number(l, &@3, $3); };

radius_users:
	radius_user		{ language_items_clear(l); language_item_number(l, &@1, (uint64_t)$1); }
	| radius_users ',' radius_user	{ language_item_number(l, &@3, (uint64_t)$3); };

radius_user:
	CUI				{ $$ = POLICY_RADIUS_CUI; }
	| USER_NAME			{ $$ = POLICY_RADIUS_USER_NAME; }
	| MAC				{ $$ = POLICY_RADIUS_MAC; };

radius_group:
	CLASS				{ $$ = POLICY_RADIUS_CLASS; }
	| FILTER_ID			{ $$ = POLICY_RADIUS_FILTER_ID; };

radius_group_block: %empty | '{' radius_group_options '}';

radius_group_options: %empty | radius_group_options ';' | radius_group_options radius_group_option;

radius_group_option:
	PREFIX_WORD text		{ language_radius_prefix(l, &@1, &@2, &$2); }
	| error				{ RECOVER(LANGUAGE_BLOCK_RADIUS_GROUP); };

/* --- portal */

portal_statements: %empty | portal_statements ';' | portal_statements portal_statement;

portal_statement:
	ZONE names			{ language_portal_zones(l, &@1); }
	| NAME_WORD quoted		{ language_portal_names(l, &@1); }
	| ADDRESS_WORD addresses	{ language_portal_addresses(l, &@1); }
	| PORT port_number	{ language_portal_port(l, &@1, &@2, (uint16_t)$2); }
	| HTTP port_number	{ language_portal_http(l, &@1, &@2, (uint16_t)$2); }
	| HTTP OFF			{ language_portal_http(l, &@1, &@2, 0); }
	| CERTIFICATE names		{ language_portal_certificates(l, &@1, false); }
	| CERTIFICATE NONE		{ language_portal_certificates(l, &@1, true); }
	| AUTH names			{ language_portal_auths(l, &@1, false); }
	| AUTH NONE			{ language_portal_auths(l, &@1, true); }
	| TERMS FILE text
		{ language_portal_file(l, &@1, &@3, &$3, LANGUAGE_PORTAL_TERMS); }
	| LOGO FILE text
		{ language_portal_file(l, &@1, &@3, &$3, LANGUAGE_PORTAL_LOGO); }
	| TEXTS text
		{ language_portal_file(l, &@1, &@2, &$2, LANGUAGE_PORTAL_TEXTS); }
	| COMMENT text			{ language_portal_comment(l, &@1, &@2, &$2); }
	| error				{ RECOVER(LANGUAGE_BLOCK_PORTAL); };

/* --- device */

device_statements: %empty | device_statements ';' | device_statements device_statement;

device_statement:
	ZONE name			{ language_device_zone(l, &@1, &@2, &$2); }
	| MAC macs			{ language_device_macs(l, &@1); }
	| ADDRESS_WORD places		{ language_device_addresses(l, &@1); }
	| USER string			{ language_device_user(l, &@1, &@2, &$2); }
	| GROUP strings			{ language_device_groups(l, &@1); }
	| COMMENT text			{ language_device_comment(l, &@1, &@2, &$2); }
	| error				{ RECOVER(LANGUAGE_BLOCK_DEVICE); };

macs: mac_first | macs ',' mac;

mac_first: { language_items_clear(l); } mac;

mac:
	MACADDR				{ language_item_elem(l, &@1, &$1); }
	| name				{ language_item_string(l, &@1, &$1); };

places:
	place_first | places ',' place;

place_first:
	ADDRESS				{ language_items_clear(l); language_item_elem(l, &@1, &$1); }
	| PREFIX			{ language_items_clear(l); language_item_elem(l, &@1, &$1); }
	| name			{ language_items_clear(l); language_item_string(l, &@1, &$1); };

place:
	ADDRESS				{ language_item_elem(l, &@1, &$1); }
	| PREFIX			{ language_item_elem(l, &@1, &$1); }
	| name				{ language_item_string(l, &@1, &$1); };

/* --- rule */

rule_statements: %empty | rule_statements ';' | rule_statements rule_statement;

rule_statement:
	ZONE names			{ language_rule_zones(l, &@1); }
	| ZONE ANY			{ language_rule_always(l, &@1, "zone"); }
	| LISTENER not names		{ language_rule_listeners(l, &@1, $2); }
	| USER not ANY			{ language_rule_user_any(l, &@1, &@3, $2); }
	| USER not NONE			{ language_rule_user_none(l, &@1, &@3, $2); }
	| USER not strings		{ language_rule_users(l, &@1, $2); }
	| GROUP not strings		{ language_rule_groups(l, &@1, $2); }
	| PORT ports			{ language_rule_ports(l, &@1); }
	| SOURCE not ANY		{ language_rule_where_any(l, &@1, &@3, $2, false); }
	| SOURCE not sources		{ language_rule_where(l, &@1, $2, false); }
	| DESTINATION not ANY		{ language_rule_where_any(l, &@1, &@3, $2, true); }
	| DESTINATION not PROTECTED	{ language_rule_protected(l, &@1, $2); }
	| DESTINATION not wheres	{ language_rule_where(l, &@1, $2, true); }
	| SCHEDULE ranges		{ language_rule_schedule(l, &@1); }
	| SCHEDULE ALWAYS		{ language_rule_always(l, &@1, "schedule"); }
	| SENDER not senders		{ language_rule_senders(l, &@1, $2); }
	| RECIPIENT not recipients	{ language_rule_recipients(l, &@1, $2); }
	| TLS not ANY			{ language_rule_tls(l, &@1, $2, false, NULL); }
	| TLS not VERIFIED		{ language_rule_tls(l, &@1, $2, true, NULL); }
	| TLS not VERIFIED quoted	{ language_rule_tls(l, &@1, $2, true, &l->items); }
	| SERVER name			{ language_rule_server(l, &@1, &@2, &$2); }
	| SERVER ORIGINAL		{ language_rule_server(l, &@1, &@2, NULL); }
	| SERVER PROTECTED		{ language_rule_server_protected(l, &@1, &@2); }
	| VERDICT act			{ language_rule_verdict(l, &@1, &$2); }
	| SCAN names			{ language_rule_scans(l, &@1, false); }
	| SCAN NONE			{ language_rule_scans(l, &@1, true); }
	| limit
	| LIMIT NONE			{ language_rule_limit_none(l, &@1); }
	| AUDIT on_off			{ language_rule_audit(l, &@1, $2); }
	| DISABLED			{ language_rule_disabled(l, &@1); }
	| COMMENT text			{ language_rule_comment(l, &@1, &@2, &$2); }
	| error				{ RECOVER(LANGUAGE_BLOCK_RULE); };

not:
	%empty				{ $$ = 0; }
	| NOT				{ $$ = 1; };

wheres: where_first | wheres ',' where;

where_first:
	elem				{ language_items_clear(l); language_item_elem(l, &@1, &$1); }
	| name			{ language_items_clear(l); language_item_string(l, &@1, &$1); };

where:
	elem				{ language_item_elem(l, &@1, &$1); }
	| name				{ language_item_string(l, &@1, &$1); };

/* A host's name stands in quotes. */
sources: source_first | sources ',' source;

source_first:
	where_first
	| STRING			{ language_items_clear(l); language_item_host(l, &@1, &$1); };

source:
	where
	| STRING			{ language_item_host(l, &@1, &$1); };

senders: sender_first | senders ',' sender;

sender_first: { language_items_clear(l); } sender;

sender:
	mail
	| NONE				{ language_item_none(l, &@1); }
	| OWN				{ language_item_own(l, &@1); };

recipients: recipient_first | recipients ',' recipient;

recipient_first: { language_items_clear(l); } recipient;

recipient:
	mail
	| PROTECTED			{ language_item_protected(l, &@1); };

/* An address has an '@', a list's name has none. */
mail:
	STRING				{ language_item_mail(l, &@1, &$1); }
	| OTHER				{ language_item_mail(l, &@1, &$1); }
	| name				{ language_item_string(l, &@1, &$1); };

ranges: range_first | ranges ',' range;

range_first:
	{ language_items_clear(l); } range;

range:
	days				{ language_item_range(l, &@1, NULL); }
	| days HOURS			{ language_item_range(l, &@1, &$2); }
	| HOURS				{ language_item_hours(l, &@1, &$1); };

days:
	DAY				{ language_days(l, &$1); }
	| DAYRANGE			{ language_days(l, &$1); };

/* --- values */

networks:
	network_first | networks ',' network;

network_first:
	{ language_items_clear(l); } network;

network:
	ADDRESS				{ language_item_elem(l, &@1, &$1); }
	| PREFIX			{ language_item_elem(l, &@1, &$1); };

ports:
	port_number		{ language_items_clear(l); language_item_port(l, &@1, $1); }
	| ports ',' port_number		{ language_item_port(l, &@3, $3); };

names:
	name			{ language_items_clear(l); language_item_string(l, &@1, &$1); }
	| names ',' name		{ language_item_string(l, &@3, &$3); };

texts:
	text			{ language_items_clear(l); language_item_string(l, &@1, &$1); }
	| texts ',' text		{ language_item_string(l, &@3, &$3); };

/* Strings that may be left out: the word of a statement would be taken for one. */
quoted:
	quoted_token	{ language_items_clear(l); language_item_quoted(l, &@1, &$1); }
	| quoted ',' quoted_token	{ language_item_quoted(l, &@3, &$3); };

quoted_token:
	STRING
	| OTHER
	| WORD				{ language_in_quotes(l, &@1, &$1); $$ = $1; };

strings:
	string			{ language_items_clear(l); language_item_user(l, &@1, &$1); }
	| strings ',' string		{ language_item_user(l, &@3, &$3); };

login:
	ON				{ $$ = POLICY_LOGIN_ON; }
	| OFF				{ $$ = POLICY_LOGIN_OFF; }
	| TAGGED			{ $$ = POLICY_LOGIN_TAGGED; };

on_off:
	ON				{ $$ = 1; }
	| OFF				{ $$ = 0; };

number: NUMBER				{ $$ = $1.number; };

port_number: NUMBER			{ $$ = language_port(l, &@1, $1.number); };

duration:
	DURATION			{ $$ = language_duration(l, &@1, &$1); }
	| MINUTES			{ $$ = language_duration(l, &@1, &$1); };

size:
	SIZE				{ $$ = language_size(l, &@1, &$1); }
	| MINUTES			{ $$ = language_size(l, &@1, &$1); };

name: word				{ $$ = language_name(l, &@1, &$1); };

text:
	STRING				{ $$ = language_string(l, &$1); }
	| OTHER				{ $$ = language_string(l, &$1); }
	| word				{ $$ = language_string(l, &$1); };

string: text | string_token		{ $$ = language_string(l, &$1); };

/* Users and groups may be named by what looks like something else: a room number, a MAC. */
string_token:
	NUMBER | DURATION | SIZE | MINUTES | RATE | ADDRESS | PREFIX | MACADDR | RANGE | HOURS;

word:
	WORD | DAYRANGE | HTTP | LOGO | PORTAL | TERMS | TEXTS | CLASS | CUI | END_WORD | FILTER_ID | FROM | IGNORE | NAS | RADIUS | RESTART | SKEW | SSID | TIMEOUT | USER_NAME | WLAN
	| CLAMAV | MILTER | MODE | QUARANTINE | SCAN | STREAM | TEMPFAIL | WHOLE | AUTH | BASE | DOVECOT | FILTER | FORWARD | LDAP | MECHANISM | PREFIX_WORD | ACCEPT | ACCOUNT | ADDRESS_WORD | ALWAYS | ANNOUNCE | ANSWER | AUDIT | AUTO | BIND | BLOCK | CA | CERTIFICATE | CHECK | CLOSED
	| COMMAND | COMMENT | CONNECT | CONNECTION | DEADLINE | DEBUG | DESTINATION | DEVICE | DISABLED
	| DOMAIN | DRAIN | DROP | DYNAMIC | ERROR | EVERY | FIRST | FLOW | FLOWS | GREETING | HOST | HOSTNAME
	| IDENTITY | IDLE | IMMEDIATE | INFO | INSECURE | INTERFACE | KEEP | KERNEL | KEY | KILL | LANGUAGE
	| LEASE | LEGACY | LEVEL | LIMIT | LIST
	| LISTEN | LISTENER | LOG | LOGIN | MAC | MAC_ADDRESS | MAIL | MESSAGE | MESSAGES | METRICS | MX | NAME_WORD | NAMES
	| NETWORK | NEWLINE | OFF | OFFER | ON | ON_FAILURE | ON_LINK_DOWN | ON_LOGOUT | OPEN | OVER | PASS | PATH | PER | PIN | PLAIN | PORT
	| PREFERENCE | PRIVACY | PROBE | PROXY_V1 | PROXY_V2 | RATE_WORD | REAUTHENTICATE | RECIPIENTS | REFUSE | REJECT | RELAY
	| REPAIR | REPLACE | REQUEST | REQUIRE | RULE | SCHEDULE | SECRET | SENDER | SERVER | SESSIONS | SIZE_WORD | SMTP | SOURCE | STRICT | TLS | TRACE
	| TAGGED | UNAUTHENTICATED | UNMATCHED | USER | VERDICT | VERIFIED | VERIFY | WARNING | WEIGHT | XCLIENT | ZONE;

%%

static int grammar_lex(GRAMMAR_STYPE *value, struct language_span *span, struct language *l)
{
	int token = language_next_token(l);

	value->token = l->token;
	*span = l->span;
	return token;
}

/* Only bison's own running out of memory comes here: nesting has a bound, so it is that. */
static void grammar_error(const struct language_span *span, struct language *l, const char *text)
{
	(void)span;
	(void)text;
	language_out_of_memory(l);
}

static int yyreport_syntax_error(const yypcontext_t *context, struct language *l)
{
	const char *names[YYNTOKENS];
	yysymbol_kind_t expected[YYNTOKENS];
	int n = yypcontext_expected_tokens(context, expected, YYNTOKENS);

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++)
		names[i] = yysymbol_name(expected[i]);
	language_unexpected(l, yypcontext_token(context) == YYSYMBOL_YYEOF, names, (size_t)n);
	return 0;
}
