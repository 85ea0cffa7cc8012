# fish completion for gbctl: made by gbctl --completion fish
# the words that are no options, nor what belongs to one
function __gbctl_words
    set -l skip 0
    for w in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $w
            case --url --token --timeout --channel --edition --device --callid --since --limit --level --pcap
                set skip 1
            case '-*'
            case '*'
                echo $w
        end
    end
end
complete -c gbctl -f
complete -c gbctl -n 'test (count (__gbctl_words)) = 0' -a 'devices channels tree changes profile sessions alarms listeners send commands ptz presets preset config configure guard alarm-reset records play stop webhooks webhook firmware upgrade upgrades trace doctor users tokens audit user token download log device subscriptions subscribe refresh pending groups'
complete -c gbctl -n 'test (count (__gbctl_words)) = 1' -a '(gbctl devices 2> /dev/null | string match -r "^[0-9]+")'
complete -c gbctl -n 'test (count (__gbctl_words)) = 2' -a '(gbctl channels (__gbctl_words)[2] 2> /dev/null | string match -r "^[0-9]+")'
complete -c gbctl -l url -x
complete -c gbctl -l token -rF
complete -c gbctl -l timeout -x
complete -c gbctl -l json
complete -c gbctl -l channel -x
complete -c gbctl -l edition -x
complete -c gbctl -l device -x
complete -c gbctl -l callid -x
complete -c gbctl -l since -x
complete -c gbctl -l limit -x
complete -c gbctl -l follow
complete -c gbctl -l text
complete -c gbctl -l level -x
complete -c gbctl -l pcap -rF
complete -c gbctl -l completion
complete -c gbctl -l version
complete -c gbctl -l help
