# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for posternctl, which knows itself what may come next: its table of nouns and verbs,
# names from the running daemon

# Bash divides words at colons and '='; MACs, IPv6 addresses and --option=value are one word here.
_posternctl_words()
{
	local i
	words=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		if ((i > 1)) && [[ ${COMP_WORDS[i]} == [:=]* || ${COMP_WORDS[i - 1]} == *[:=] ]]; then
			words[-1]+=${COMP_WORDS[i]}
		else
			words+=("${COMP_WORDS[i]}")
		fi
	done
}

# The words of these that begin with the word under the cursor, without what bash holds already.
_posternctl_offer()
{ # [OPTION OF compgen...] WORDS
	local i held=
	[[ $cur == *[:=]* ]] && held=${cur%"${cur##*[:=]}"}
	mapfile -t COMPREPLY < <(compgen "${@:1:$#-1}" -W "${!#}" -- "$cur")
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=${COMPREPLY[i]#"$held"}
	done
}

_posternctl()
{
	local cur words ctl=(posternctl) i offered
	_posternctl_words
	cur=${words[-1]}
	COMPREPLY=()
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		case ${words[i]} in
		--run) ctl+=(--run "${words[++i]}") ;;
		-b | --wait | --queue) ((i++)) ;;
		-?*) ;;
		*) break ;;
		esac
	done
	if ((i > ${#words[@]} - 1)); then # the value of -b, --run or --queue
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	fi
	offered=$("${ctl[@]}" --complete "${words[@]:i:${#words[@]}-1-i}" 2>/dev/null | sort -u)
	((i == ${#words[@]} - 1)) && offered+=" -j -b --run --queue --wait"
	case $offered in
	*@file*) _posternctl_offer -f "${offered/@file/}" ;;
	*) _posternctl_offer "$offered" ;;
	esac
} && complete -F _posternctl posternctl
