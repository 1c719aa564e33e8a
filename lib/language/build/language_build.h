/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the grammar's actions do: each function takes one finished statement or value into the
 * policy being built. Private to grammar.y and lib/language/build/. */
#ifndef POSTERN_LIB_LANGUAGE_BUILD_LANGUAGE_BUILD_H
#define POSTERN_LIB_LANGUAGE_BUILD_LANGUAGE_BUILD_H

#include "lib/language/lexer.h"

/* value.c: one value each. */
struct policy_string language_string(struct language *l, const struct language_token *token);
struct policy_string language_name(
	struct language *l, const struct language_span *span, const struct language_token *token);
uint16_t language_port(struct language *l, const struct language_span *span, uint64_t number);
uint64_t language_duration(
	struct language *l, const struct language_span *span, const struct language_token *token);
uint64_t language_size(
	struct language *l, const struct language_span *span, const struct language_token *token);
void language_rate(struct language *l, const struct language_span *span,
	const struct language_token *token, struct language_count *count);
void language_answer(struct language *l, const struct language_span *span,
	const struct language_token *code, const struct policy_string *text,
	struct policy_act *act);
struct policy_act language_verdict(enum policy_verdict verdict);
/* Whole seconds that fit; least is the smallest allowed. */
uint32_t language_seconds(
	struct language *l, const struct language_span *span, uint64_t ms, uint32_t least);
uint32_t language_number(struct language *l, const struct language_span *span, uint64_t number,
	uint64_t least, uint64_t most);
/* As the file that names it means it, and where it does; an empty one is said. */
struct policy_string language_path(struct language *l, const struct language_span *span,
	const struct policy_string *written, struct policy_span *stands);
struct policy_string language_comment(
	struct language *l, const struct language_span *span, const struct policy_string *text);

/* The comma list being read, and where it goes. */
void language_items_clear(struct language *l);
void language_item_string(
	struct language *l, const struct language_span *span, const struct policy_string *string);
void language_item_user(
	struct language *l, const struct language_span *span, const struct policy_string *string);
/* An address of a condition, in quotes or with an '@'; anything else is said. */
void language_item_mail(
	struct language *l, const struct language_span *span, const struct language_token *token);
/* A host of a condition; a protected domain. What is none is said. */
void language_item_host(
	struct language *l, const struct language_span *span, const struct language_token *token);
void language_item_domain(
	struct language *l, const struct language_span *span, const struct language_token *token);
void language_item_protected(struct language *l, const struct language_span *span);
void language_item_own(struct language *l, const struct language_span *span);
void language_item_none(struct language *l, const struct language_span *span);
void language_item_elem(
	struct language *l, const struct language_span *span, const struct language_token *token);
/* A bare word where a statement may begin instead: no statement's word has a dot, now or later. */
void language_in_quotes(
	struct language *l, const struct language_span *span, const struct language_token *word);
/* Not empty. */
void language_item_quoted(
	struct language *l, const struct language_span *span, const struct language_token *token);
void language_item_port(struct language *l, const struct language_span *span, uint64_t port);
void language_item_number(struct language *l, const struct language_span *span, uint64_t number);
void language_days(struct language *l, const struct language_token *token);
void language_item_range(
	struct language *l, const struct language_span *span, const struct language_token *hours);
void language_item_hours(
	struct language *l, const struct language_span *span, const struct language_token *hours);
void language_keep_strings(struct language *l, const struct language_vector *items,
	struct policy_strings *strings, struct language_spans *spans);
void language_keep_prefixes(struct language *l, const struct language_vector *items,
	struct policy_prefixes *prefixes, struct language_spans *spans);
void language_keep_elems(struct language *l, const struct language_vector *items,
	struct policy_elems *elems, struct language_spans *spans);
void language_keep_ports(struct language *l, const struct language_vector *items,
	struct policy_ports *ports, struct language_spans *spans);

/* The statement stands for the first time in its block; else it is said. */
bool language_once(struct language *l, struct language_block *block,
	const struct language_span *span, const char *word);
void language_enter(struct language *l, struct language_block *block, enum language_block_kind kind,
	const struct policy_string *name);
/* "zone"; "" at the top. */
const char *language_block_word(enum language_block_kind kind);
/* No syntax error stands in the block, so that what it lacks is really not there. */
bool language_whole(const struct language *l);
/* language_build.c: the top. */
void language_version(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t number);
void language_hostname(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name);
void language_on_failure(
	struct language *l, const struct language_span *word, enum policy_posture posture);
void language_drain(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms);
void language_top_limit(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t number);
void language_audit(struct language *l, const struct language_span *word);
void language_audit_keep(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms);
void language_audit_size(struct language *l, const struct language_span *word, uint64_t bytes);
void language_audit_names(struct language *l, const struct language_span *word, bool none);
/* The word for it in version 0.1. */
void language_audit_privacy(struct language *l, const struct language_span *word, bool off);
void language_log_level(
	struct language *l, const struct language_span *word, enum policy_log_level level);
void language_metrics(struct language *l, const struct language_span *word,
	const struct language_span *addr_span, const struct language_token *addr,
	const struct language_span *port_span, uint16_t port);

void language_list_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name);
void language_list_holds(struct language *l, enum policy_list_holds holds);
/* One of token and text, as it was written. */
void language_list_member(struct language *l, const struct language_span *span,
	const struct language_token *token, const struct policy_string *text);
void language_list_inline(struct language *l);
void language_list_file(
	struct language *l, const struct language_span *span, const struct policy_string *path);
void language_list_dynamic(struct language *l);
void language_list_end(struct language *l);

/* zone.c */
void language_zone_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name);
void language_zone_interfaces(struct language *l);
void language_zone_networks(struct language *l, const struct language_span *word);
void language_zone_ports(struct language *l, const struct language_span *word);
void language_zone_identity(struct language *l, const struct language_span *word,
	const struct language_span *span, enum policy_identity identity);
void language_zone_unauthenticated(
	struct language *l, const struct language_span *word, const struct policy_act *act);
void language_zone_unmatched(
	struct language *l, const struct language_span *word, const struct policy_act *act);
void language_zone_on_failure(
	struct language *l, const struct language_span *word, enum policy_posture posture);
/* span NULL: none */
void language_zone_lease(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms);
void language_zone_idle(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms);
void language_zone_reauthenticate(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms);
void language_zone_on_link_down(struct language *l, const struct language_span *word, bool ends);
void language_zone_on_logout(struct language *l, const struct language_span *word, bool keeps);
void language_zone_level(
	struct language *l, const struct language_span *word, enum policy_level level);
void language_zone_newline(
	struct language *l, const struct language_span *word, enum policy_newline newline);
void language_zone_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text);
void language_zone_end(struct language *l);

/* tls.c: certificates, `tls` on both sides, accounts. */
void language_certificate_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name);
void language_certificate_file(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *path, bool key);
void language_certificate_end(struct language *l);
/* `tls` is read into l->client_tls, or l->server_tls, until its block takes it. */
void language_client_tls_begin(struct language *l, const struct language_span *word);
void language_client_tls_mode(struct language *l, enum policy_tls mode);
void language_client_tls_certificates(struct language *l, const struct language_span *word);
void language_client_tls_client(
	struct language *l, const struct language_span *word, enum policy_tls_client client);
void language_client_tls_legacy(struct language *l, const struct language_span *word);
void language_client_tls_insecure(struct language *l, const struct language_span *word);
void language_tls_ca(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *path,
	struct policy_string *ca, struct policy_span *at);
void language_zone_tls(struct language *l, const struct language_span *word);
void language_server_tls_begin(struct language *l, const struct language_span *word, bool host);
void language_server_tls_mode(struct language *l, enum policy_server_tls_mode mode);
void language_server_tls_names(struct language *l);
void language_server_tls_pins(struct language *l);
void language_server_tls_immediate(struct language *l, const struct language_span *word);
void language_server_tls_certificate(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name);
void language_server_tls_legacy(struct language *l, const struct language_span *word);
void language_server_tls(struct language *l, const struct language_span *word);
void language_host_tls(struct language *l, const struct language_span *word);
struct policy_server_tls language_no_server_tls(void);
struct policy_client_tls language_no_client_tls(void);
struct policy_account language_no_account(void);
void language_account(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *user);
void language_account_secret(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *path);
/* sender NULL: keep */
void language_account_sender(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct language_token *sender);
void language_account_insecure(struct language *l, const struct language_span *word);
void language_account_end(struct language *l);
/* names NULL: of any name */
void language_rule_tls(struct language *l, const struct language_span *word, bool negated,
	bool verified, const struct language_vector *names);

/* limit.c: the limits of the zone or rule being read. */
void language_limit_begin(struct language *l);
void language_sessions_begin(struct language *l);
void language_limit_over(struct language *l, const struct language_span *word, bool replaces);
void language_limit_block(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms);
void language_limit(struct language *l, const struct language_span *word,
	const struct language_span *span, enum policy_limit_kind kind, uint64_t count,
	uint32_t seconds, enum policy_per per);
void language_limit_size(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t bytes);
void language_rule_limit_none(struct language *l, const struct language_span *word);
/* Takes them into the policy; those of a zone or listener, whose place it is, with what is meant
 * where nothing is written. Of a rule: place NULL. */
void language_limits_end(
	struct language *l, struct policy_limits *limits, const struct policy_place *place);

/* auth.c */
void language_auth_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name);
void language_auth_ldap(struct language *l, const struct language_span *word);
void language_auth_forward(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *server);
void language_auth_path(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *path,
	enum policy_auth_kind kind);
void language_auth_mechanisms(struct language *l, const struct language_span *word);
void language_auth_domain(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *domain);
void language_auth_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text);
void language_auth_end(struct language *l);
void language_ldap_text(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text,
	enum language_ldap which);
void language_ldap_file(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *path,
	enum language_ldap which);
void language_ldap_insecure(struct language *l, const struct language_span *word);

/* listener.c: listeners and domains. */
void language_listener_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name);
void language_listener_addresses(struct language *l, const struct language_span *word);
void language_listener_ports(struct language *l, const struct language_span *word);
/* span: of `any` */
void language_listener_accept(struct language *l, const struct language_span *word,
	const struct language_span *span, bool negated, bool any);
void language_listener_auth(struct language *l, const struct language_span *word);
void language_listener_tls(struct language *l, const struct language_span *word);
void language_listener_newline(
	struct language *l, const struct language_span *word, enum policy_newline newline);
void language_listener_unmatched(
	struct language *l, const struct language_span *word, const struct policy_act *act);
void language_listener_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text);
void language_listener_end(struct language *l);
void language_domain_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name);
void language_domain_names(struct language *l, const struct language_span *word);
void language_domain_server(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name);
void language_domain_recipients(struct language *l, const struct language_span *word, bool any);
void language_domain_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text);
void language_domain_end(struct language *l);

/* server.c */
void language_server_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name);
void language_host_begin(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct language_token *addr);
void language_host_begin_name(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name);
void language_mx_begin(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name);
void language_host_port(struct language *l, const struct language_span *word, uint16_t port);
void language_host_preference(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t number);
void language_host_weight(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t number);
void language_host_limit(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t number);
void language_host_end(struct language *l);
void language_bind(struct language *l, const struct language_span *word,
	const struct language_span *span, enum policy_bind bind, const struct language_token *addr);
void language_announce(struct language *l, const struct language_span *word,
	const struct language_span *span, enum policy_announce announce);
void language_announce_login(
	struct language *l, const struct language_span *word, enum policy_login login);
/* every NULL: not written */
void language_probe(struct language *l, const struct language_span *word,
	const struct language_span *span, bool smtp, const struct language_span *every,
	uint64_t ms);
void language_deadline(struct language *l, const struct language_span *word);
void language_deadline_set(struct language *l, const struct language_span *word,
	const struct language_span *span, unsigned which, uint64_t ms);
void language_server_limit(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t number);
void language_server_trace(struct language *l, const struct language_span *word, bool on);
void language_server_path(
	struct language *l, const struct language_span *word, enum policy_path path);
void language_server_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text);
void language_server_end(struct language *l);

/* scan.c: scans, and `scan` of a rule. */
void language_scan_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name);
void language_scan_address(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *address,
	enum policy_scan_kind kind);
void language_scan_mode(
	struct language *l, const struct language_span *word, enum policy_scan_mode mode);
void language_scan_on_failure(
	struct language *l, const struct language_span *word, enum policy_scan_failure failure);
void language_scan_deadline(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms);
void language_scan_quarantine(
	struct language *l, const struct language_span *word, enum policy_scan_failure failure);
void language_scan_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text);
void language_scan_end(struct language *l);
/* none: `scan none` */
void language_rule_scans(struct language *l, const struct language_span *word, bool none);

/* radius.c */
void language_radius_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name);
void language_radius_listen(struct language *l, const struct language_span *word,
	const struct language_span *span, uint16_t port);
void language_radius_from(struct language *l, const struct language_span *word);
void language_radius_secret(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *path);
void language_radius_from_end(struct language *l);
void language_radius_zone(
	struct language *l, const struct language_span *span, const struct policy_string *name);
void language_radius_ssids(struct language *l, const struct language_span *word);
void language_radius_nases(struct language *l, const struct language_span *word);
void language_radius_wlans(struct language *l, const struct language_span *word);
void language_radius_zone_end(struct language *l);
void language_radius_users(struct language *l, const struct language_span *word);
void language_radius_ignore(struct language *l, const struct language_span *word);
void language_radius_group(
	struct language *l, const struct language_span *word, enum policy_radius_group group);
void language_radius_prefix(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *prefix);
void language_radius_timeout(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms);
void language_radius_skew(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms);
void language_radius_restart(struct language *l, const struct language_span *word, bool keeps);
void language_radius_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text);
void language_radius_end(struct language *l);

/* portal.c */
void language_portal_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name);
void language_portal_zones(struct language *l, const struct language_span *word);
void language_portal_names(struct language *l, const struct language_span *word);
void language_portal_addresses(struct language *l, const struct language_span *word);
void language_portal_port(struct language *l, const struct language_span *word,
	const struct language_span *span, uint16_t port);
/* port 0: off */
void language_portal_http(struct language *l, const struct language_span *word,
	const struct language_span *span, uint16_t port);
/* none: `certificate none`, `auth none` */
void language_portal_certificates(struct language *l, const struct language_span *word, bool none);
void language_portal_auths(struct language *l, const struct language_span *word, bool none);
enum language_portal_file {
	LANGUAGE_PORTAL_TERMS,
	LANGUAGE_PORTAL_LOGO,
	LANGUAGE_PORTAL_TEXTS,
};
void language_portal_file(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *path,
	enum language_portal_file file);
void language_portal_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text);
void language_portal_end(struct language *l);

/* rule.c: devices and rules. */
void language_device_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name);
void language_device_zone(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name);
void language_device_macs(struct language *l, const struct language_span *word);
void language_device_addresses(struct language *l, const struct language_span *word);
void language_device_user(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *user);
void language_device_groups(struct language *l, const struct language_span *word);
void language_device_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text);
void language_device_end(struct language *l);

void language_rule_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name);
void language_rule_zones(struct language *l, const struct language_span *word);
void language_rule_listeners(struct language *l, const struct language_span *word, bool negated);
void language_rule_always(struct language *l, const struct language_span *span, const char *word);
void language_rule_user_any(struct language *l, const struct language_span *word,
	const struct language_span *span, bool negated);
void language_rule_user_none(struct language *l, const struct language_span *word,
	const struct language_span *span, bool negated);
void language_rule_users(struct language *l, const struct language_span *word, bool negated);
void language_rule_groups(struct language *l, const struct language_span *word, bool negated);
void language_rule_ports(struct language *l, const struct language_span *word);
void language_rule_where_any(struct language *l, const struct language_span *word,
	const struct language_span *span, bool negated, bool destination);
void language_rule_where(
	struct language *l, const struct language_span *word, bool negated, bool destination);
/* `destination protected` */
void language_rule_protected(struct language *l, const struct language_span *word, bool negated);
/* What a condition on places says, without its lists' indexes; spans of the lists may be NULL. */
void language_where(
	struct language *l, struct policy_where *where, struct language_spans *lists, bool negated);
/* The same of mail addresses. */
void language_mails(
	struct language *l, struct policy_mails *mails, struct language_spans *lists, bool negated);
void language_refuse_not_any(struct language *l, const struct language_span *span, bool negated);
void language_rule_senders(struct language *l, const struct language_span *word, bool negated);
void language_rule_recipients(struct language *l, const struct language_span *word, bool negated);
void language_rule_schedule(struct language *l, const struct language_span *word);
/* The word has flows read: that is noted, once. */
void language_rule_reads(struct language *l, const struct language_span *word);
/* name NULL: original */
void language_rule_server(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name);
void language_rule_server_protected(
	struct language *l, const struct language_span *word, const struct language_span *span);
void language_rule_verdict(
	struct language *l, const struct language_span *word, const struct policy_act *act);
void language_rule_audit(struct language *l, const struct language_span *word, bool on);
void language_rule_disabled(struct language *l, const struct language_span *word);
void language_rule_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text);
void language_rule_end(struct language *l);

#endif
