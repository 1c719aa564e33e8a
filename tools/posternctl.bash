# bash completion for posternctl: nouns and verbs from its own help, names from the running daemon

# The values of a field in what `posternctl -j NOUN show` says, words or numbers.
_posternctl_names()
{ # NOUN FIELD [VERB]
	"${ctl[@]}" -j "$1" "${3:-show}" 2>/dev/null |
		grep -o "\"$2\": *\(\"[^\"]*\"\|[0-9]\+\)" | sed 's/^"[^"]*": *//; s/"//g' | sort -u
}

# Bash divides words at colons; MACs and IPv6 addresses are one word here.
_posternctl_words()
{
	local i
	words=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		if ((i > 1)) && [[ ${COMP_WORDS[i]} == :* || ${COMP_WORDS[i - 1]} == *: ]]; then
			words[-1]+=${COMP_WORDS[i]}
		else
			words+=("${COMP_WORDS[i]}")
		fi
	done
}

# The words of these that begin with the word under the cursor, without what bash holds already.
_posternctl_offer()
{ # [OPTION OF compgen...] WORDS
	local i colon=
	[[ $cur == *:* ]] && colon=${cur%"${cur##*:}"}
	mapfile -t COMPREPLY < <(compgen "${@:1:$#-1}" -W "${!#}" -- "$cur")
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=${COMPREPLY[i]#"$colon"}
	done
}

# What may stand behind noun and verb, NAME first where there is one.
_posternctl_arguments()
{
	local conditions="zone user group port source destination schedule server verdict audit disabled comment"
	case $noun:$verb in
	policy:apply) _posternctl_offer -f "--confirm" ;;
	policy:check) _posternctl_offer -f "-" ;;
	policy:edit) _posternctl_offer "--confirm" ;;
	policy:save) _posternctl_offer -f "" ;;
	policy:show) _posternctl_offer "--full --source $(_posternctl_names policy policy history)" ;;
	policy:diff) _posternctl_offer "file $(_posternctl_names policy policy history)" ;;
	policy:rollback) _posternctl_offer "$(_posternctl_names policy policy history)" ;;
	rule:add)
		((n == 0)) && return
		((n == 1)) && conditions+=" first last before after"
		_posternctl_offer "$conditions"
		;;
	rule:replace) ((n == 0)) && _posternctl_offer "$(_posternctl_names rule rule)" ||
		_posternctl_offer "$conditions" ;;
	rule:move) ((n == 0)) && _posternctl_offer "$(_posternctl_names rule rule)" ||
		_posternctl_offer "first last before after" ;;
	device:add) ((n > 0)) && _posternctl_offer "zone mac address user group comment" ;;
	list:show) ((n == 0)) && _posternctl_offer "$(_posternctl_names list list)" ||
		_posternctl_offer "match" ;;
	list:add) ((n == 0)) && _posternctl_offer "$(_posternctl_names list list)" ||
		_posternctl_offer "timeout" ;;
	list:import) ((n == 0)) && _posternctl_offer "$(_posternctl_names list list)" ||
		_posternctl_offer -f "--dry-run" ;;
	server:test) ((n == 0)) && _posternctl_offer "$(_posternctl_names server server)" ||
		_posternctl_offer "user address from to" ;;
	server:drain | server:enable) ((n == 0)) && _posternctl_offer "$(_posternctl_names server server)" ||
		_posternctl_offer "host" ;;
	rule:* | zone:* | server:* | device:* | list:*)
		((n == 0)) && _posternctl_offer "$(_posternctl_names "$noun" "$noun")" ;;
	session:login) ((n > 0)) && _posternctl_offer "zone address mac group lease idle" ;;
	session:renew) _posternctl_offer "user address mac lease $(_posternctl_names session session)" ;;
	session:show) _posternctl_offer "user address mac zone $(_posternctl_names session session)" ;;
	session:logout) _posternctl_offer \
		"user address mac zone --keep-flows --kill-flows $(_posternctl_names session session)" ;;
	block:show) ((n == 0)) && _posternctl_offer "user mac address" ;;
	block:delete) ((n == 0)) && _posternctl_offer "user mac address" ||
		_posternctl_offer "zone" ;;
	block:add) ((n == 0)) && _posternctl_offer "user mac address" ||
		_posternctl_offer "zone 421 554 for" ;;
	client:show) _posternctl_offer "zone" ;;
	client:forget) _posternctl_offer "$(_posternctl_names client address)" ;;
	flow:kill) _posternctl_offer "user server $(_posternctl_names flow flow)" ;;
	flow:show) _posternctl_offer "user server zone $(_posternctl_names flow flow)" ;;
	audit:show) _posternctl_offer \
		"user zone rule server verdict end address mac session since until limit" ;;
	bypass:on) _posternctl_offer "zone for" ;;
	bypass:off) _posternctl_offer "zone" ;;
	log:level) _posternctl_offer "error warning info debug" ;;
	esac
}

_posternctl()
{
	local cur prev words ctl=(posternctl) i n=0 noun="" verb=""
	_posternctl_words
	cur=${words[-1]}
	prev=${words[-2]}
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		case ${words[i]} in
		--run) ctl+=(--run "${words[++i]}") ;;
		-b) ((i++)) ;;
		-*) ;;
		*)
			if [[ -z $noun ]]; then
				noun=${words[i]}
			elif [[ -z $verb ]]; then
				verb=${words[i]}
			else
				((n++))
			fi
			;;
		esac
	done
	COMPREPLY=()
	case $prev in
	--run) mapfile -t COMPREPLY < <(compgen -d -- "$cur") && return ;;
	-b) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
	esac
	if [[ -z $noun || $noun == help ]]; then
		_posternctl_offer "$([[ -z $noun ]] && echo -j -b --run help) $(posternctl --help 2>/dev/null |
			sed -n 's/^  \([a-z]*\) .*/\1/p')"
		return
	fi
	# these take their arguments without a verb
	case $noun in
	explain | monitor)
		[[ -n $verb ]] && ((n++))
		verb=${verb:-$noun}
		;;
	esac
	if [[ $noun:$verb == block:delete ]]; then
		case $prev in
		user | mac | address) _posternctl_offer "$(_posternctl_names block who)" && return ;;
		esac
	fi
	if [[ -n $verb ]]; then
		case $prev in
		zone) _posternctl_offer "$(_posternctl_names zone zone)" && return ;;
		user) _posternctl_offer "$([[ $noun == rule ]] && echo any not) $(_posternctl_names session user)" && return ;;
		server) _posternctl_offer "$(_posternctl_names server server)" && return ;;
		rule | before | after) _posternctl_offer "$(_posternctl_names rule rule)" && return ;;
		mac) _posternctl_offer "$(_posternctl_names session mac)" && return ;;
		address) _posternctl_offer "$(_posternctl_names client address)" && return ;;
		host) _posternctl_offer "$(_posternctl_names server host)" && return ;;
		flow) _posternctl_offer "$(_posternctl_names flow flow)" && return ;;
		source | destination) _posternctl_offer "not any $(_posternctl_names list list)" && return ;;
		verdict) _posternctl_offer "redirect answer pass reject drop" && return ;;
		end) _posternctl_offer "$(_posternctl_names audit ending)" && return ;;
		esac
	fi
	case $noun in
	explain) ((n == 0)) && _posternctl_offer "user mac address flow" ||
		_posternctl_offer "zone destination time" ;;
	monitor) ((n == 0)) && _posternctl_offer "flow session server policy refusal" ;;
	*)
		if [[ -n $verb ]]; then
			_posternctl_arguments
		else
			_posternctl_offer "$(posternctl "$noun" help 2>/dev/null |
				sed -n "s/^  posternctl $noun \([a-z]*\).*/\1/p")"
		fi
		;;
	esac
} && complete -F _posternctl posternctl
