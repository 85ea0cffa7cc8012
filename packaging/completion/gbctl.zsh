#compdef gbctl
# zsh completion for gbctl: made by gbctl --completion zsh
_gbctl()
{
    local -a word
    local i
    case $words[CURRENT-1] in
    --pcap | --token)
        _files
        return
        ;;
    --url | --token | --timeout | --channel | --edition | --device | --callid | --since | --limit | --level | --pcap)
        return
        ;;
    esac
    if [[ $PREFIX == -* ]]; then
        compadd -- --url --token --timeout --json --channel --edition --device --callid --since --limit --follow --text --level --pcap --completion --version --help
        return
    fi
    # the words that are no options, nor what belongs to one
    for ((i = 2; i < CURRENT; i++)); do
        case $words[i] in
        --url | --token | --timeout | --channel | --edition | --device | --callid | --since | --limit | --level | --pcap) ((i++)) ;;
        -*) ;;
        *) word+=($words[i]) ;;
        esac
    done
    case $#word in
    0) compadd -- devices channels tree changes profile sessions alarms listeners send commands ptz presets preset config configure guard alarm-reset records play stop webhooks webhook firmware upgrade upgrades trace doctor users tokens audit user token download log device subscriptions subscribe refresh pending groups ;;
    1) compadd -- ${(f)"$(gbctl devices 2> /dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }')"} ;;
    2) compadd -- ${(f)"$(gbctl channels "$word[2]" 2> /dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }')"} ;;
    esac
}
_gbctl "$@"
