# Owns what the hooks share: which zone, whether the words are sane, and the call of posternctl. A
# hook reads this file, then calls hook_login or hook_logout. What comes from a guest (a name, a host
# name) is only ever one word of a command line, never shell text.
#
# /etc/postern/hooks.conf, one line each: INTERFACE ZONE. The first that fits counts, `*` in
# INTERFACE stands for anything. An interface that no line names has no zone: nothing is done.
# postern-hooks(5) says it all.
#
# A hook never holds its caller up (5 s at most), and never fails it: no mail is no reason for no
# Internet. What went wrong is in syslog, under postern-hook, with the user and the address that it
# went wrong for: a policy with `names none` does not reach these lines.

set -f
# FreeRADIUS gives none
PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
export PATH
hook_conf=/etc/postern/hooks.conf
hook_name=${0##*/}

hook_log() {
	logger -t postern-hook -p daemon.err -- "$hook_name: $*"
}

# Prints the zone of an interface.
hook_zone() {
	[ -r "$hook_conf" ] || {
		hook_log "cannot read $hook_conf: expected lines of INTERFACE ZONE"
		return 1
	}
	while read -r pattern zone rest; do
		case "$pattern" in "" | "#"*) continue ;; esac
		if [ -z "$zone" ] || { [ -n "$rest" ] && [ "${rest#\#}" = "$rest" ]; }; then
			hook_log "$hook_conf: \"$pattern $zone $rest\": expected INTERFACE ZONE"
			continue
		fi
		# a pattern it is, so unquoted
		# shellcheck disable=SC2254
		case "$1" in $pattern)
			printf '%s\n' "$zone"
			return 0
			;;
		esac
	done <<EOF
$(tr -d '\r' <"$hook_conf")
EOF
	return 1
}

# 02-00-5E-00-53-10, 0200.5e00.5310 or 02:00:5e:00:53:10, as programs write it, in the last form.
# Prints nothing for anything else.
hook_mac() {
	digits=$(printf '%s' "$1" | tr -d ':.-' | tr 'A-F' 'a-f')
	case "$digits" in *[!0-9a-f]*) return ;; esac
	[ "${#digits}" -eq 12 ] || return
	printf '%s\n' "$digits" | sed 's/\(..\)/\1:/g; s/:$//'
}

# A word that posternctl takes for a name: not empty, not an option, no control characters.
hook_sane() {
	case "$1" in "" | -* | *[[:cntrl:]]*) return 1 ;; esac
	[ "${#1}" -le 255 ]
}

hook_call() {
	said=$(timeout 5 posternctl session "$@" 2>&1) && return
	# who is not logged in, or is so by another name by now, need not be logged out
	[ "$1" = logout ] && case "$said" in "posternctl: no session of "*) return ;; esac
	hook_log "session $*: ${said:-no answer within 5 s}"
}

# hook_login INTERFACE USER MAC GROUPS SECONDS ADDRESS...; MAC, GROUPS and SECONDS may be empty.
hook_login() {
	interface=$1 user=$2 mac=$3 groups=$4 seconds=$5
	shift 5
	zone=$(hook_zone "$interface") || return 0
	if ! hook_sane "$user"; then
		hook_log "not logged in: the user's name is empty, too long, or no name"
		return 0
	fi
	left=$#
	while [ "$left" -gt 0 ]; do
		[ -z "$1" ] || set -- "$@" address "$1"
		shift
		left=$((left - 1))
	done
	set -- login "$user" zone "$zone" "$@"
	[ -z "$mac" ] || set -- "$@" mac "$mac"
	[ -z "$groups" ] || set -- "$@" group "$groups"
	[ -z "$seconds" ] || set -- "$@" lease "${seconds}s"
	hook_call "$@"
}

# hook_logout INTERFACE USER MAC ADDRESS; of MAC and ADDRESS one may be empty; what is unknown of the
# others is empty.
hook_logout() {
	zone=
	[ -z "$1" ] || zone=$(hook_zone "$1") || return 0
	user=$2 mac=$3 address=$4
	set -- logout
	[ -z "$zone" ] || set -- "$@" zone "$zone"
	! hook_sane "$user" || set -- "$@" user "$user"
	if [ -n "$mac" ]; then
		set -- "$@" mac "$mac"
	else
		set -- "$@" address "$address"
	fi
	hook_call "$@"
}
