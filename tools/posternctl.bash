# bash completion for posternctl: nouns and verbs from its own help, names from the running daemon
_posternctl()
{
	local cur prev words cword ctl=(posternctl) i noun="" verb=""
	cur=${COMP_WORDS[COMP_CWORD]}
	prev=${COMP_WORDS[COMP_CWORD - 1]}
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--run) ctl+=(--run "${COMP_WORDS[++i]}") ;;
		-b) ((i++)) ;;
		-*) ;;
		*)
			if [[ -z $noun ]]; then noun=${COMP_WORDS[i]}; elif [[ -z $verb ]]; then verb=${COMP_WORDS[i]}; fi
			;;
		esac
	done
	_posternctl_names()
	{ # NOUN FIELD
		"${ctl[@]}" -j "$1" show 2>/dev/null |
			sed -n "s/.*\"$2\": *\"\([^\"]*\)\".*/\1/p" | sort -u
	}
	case $prev in
	--run) COMPREPLY=($(compgen -d -- "$cur")); return ;;
	-b) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	zone) COMPREPLY=($(compgen -W "$(_posternctl_names zone zone)" -- "$cur"))
		[[ $noun != zone || -n $verb ]] && return ;;
	user) COMPREPLY=($(compgen -W "$(_posternctl_names session user)" -- "$cur")); return ;;
	server) COMPREPLY=($(compgen -W "$(_posternctl_names server server)" -- "$cur"))
		[[ $noun != server || -n $verb ]] && return ;;
	rule | before | after) COMPREPLY=($(compgen -W "$(_posternctl_names rule rule)" -- "$cur"))
		[[ $noun != rule || -n $verb ]] && return ;;
	mac) COMPREPLY=($(compgen -W "$(_posternctl_names session mac)" -- "${cur//\\/}")); return ;;
	verdict) COMPREPLY=($(compgen -W "redirect answer pass reject drop" -- "$cur")); return ;;
	level) COMPREPLY=($(compgen -W "error warning info debug" -- "$cur")); return ;;
	esac
	if [[ -z $noun ]]; then
		COMPREPLY=($(compgen -W "-j -b --run help $(posternctl --help 2>/dev/null |
			sed -n 's/^  \([a-z]*\) .*/\1/p')" -- "$cur"))
		return
	fi
	if [[ -z $verb ]]; then
		COMPREPLY=($(compgen -W "$(posternctl "$noun" help 2>/dev/null |
			sed -n "s/^  posternctl $noun \([a-z]*\).*/\1/p")" -- "$cur"))
		case $noun in
		explain) COMPREPLY=($(compgen -W "user mac address flow" -- "$cur")) ;;
		monitor) COMPREPLY=($(compgen -W "flow session server policy refusal" -- "$cur")) ;;
		esac
		return
	fi
	case $noun:$verb in
	policy:apply | policy:check) COMPREPLY=($(compgen -f -W "--confirm" -- "$cur")) ;;
	policy:edit) COMPREPLY=($(compgen -W "--confirm" -- "$cur")) ;;
	policy:show) COMPREPLY=($(compgen -W "--full --source" -- "$cur")) ;;
	policy:diff) COMPREPLY=($(compgen -W "file" -- "$cur")) ;;
	list:import)
		if [[ $prev == import ]]; then
			COMPREPLY=($(compgen -W "$(_posternctl_names list list)" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -W "--dry-run" -- "$cur"))
		fi
		;;
	rule:* | zone:* | server:* | device:* | list:*)
		if [[ $prev == "$verb" ]]; then
			COMPREPLY=($(compgen -W "$(_posternctl_names "$noun" "$noun")" -- "$cur"))
		else
			COMPREPLY=($(compgen -W "first last before after zone user group port source destination schedule server verdict match timeout" -- "$cur"))
		fi
		;;
	session:login) COMPREPLY=($(compgen -W "zone address mac group lease idle" -- "$cur")) ;;
	session:renew | session:show) COMPREPLY=($(compgen -W "user address mac zone lease" -- "$cur")) ;;
	session:logout) COMPREPLY=($(compgen -W "user address mac zone --keep-flows --kill-flows" -- "$cur")) ;;
	flow:*) COMPREPLY=($(compgen -W "user server $(_posternctl_names flow id)" -- "$cur")) ;;
	audit:show) COMPREPLY=($(compgen -W "user zone rule server verdict end address mac since until limit" -- "$cur")) ;;
	bypass:on) COMPREPLY=($(compgen -W "zone for" -- "$cur")) ;;
	bypass:off | client:show) COMPREPLY=($(compgen -W "zone" -- "$cur")) ;;
	log:level) COMPREPLY=($(compgen -W "error warning info debug" -- "$cur")) ;;
	esac
} && complete -F _posternctl posternctl
