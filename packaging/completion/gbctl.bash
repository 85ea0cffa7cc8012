# bash completion for gbctl: made by gbctl --completion
_gbctl()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i at=0
    local -a word=()
    COMPREPLY=()
    case $prev in
    --pcap | --token)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    --url | --token | --timeout | --channel | --edition | --device | --callid | --since | --limit | --level | --pcap)
        return
        ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "--url --token --timeout --json --channel --edition --device --callid --since --limit --follow --text --level --pcap --completion --version --help" -- "$cur")
        return
    fi
    # the words that are no options, nor what belongs to one
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --url | --token | --timeout | --channel | --edition | --device | --callid | --since | --limit | --level | --pcap) ((i++)) ;;
        -*) ;;
        *) word[at++]=${COMP_WORDS[i]} ;;
        esac
    done
    case $at in
    0)
        mapfile -t COMPREPLY < <(compgen -W "devices channels tree changes profile sessions alarms listeners send commands ptz presets preset config configure guard alarm-reset records play stop webhooks webhook firmware upgrade upgrades trace doctor users tokens audit user token download log device subscriptions subscribe refresh pending groups" -- "$cur")
        ;;
    1)
        mapfile -t COMPREPLY < <(compgen -W "$(gbctl devices 2> /dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }')" -- "$cur")
        ;;
    2)
        mapfile -t COMPREPLY < <(compgen -W "$(gbctl channels "${word[1]}" 2> /dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }')" -- "$cur")
        ;;
    esac
}
complete -F _gbctl gbctl
