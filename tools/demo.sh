#!/bin/sh
# demo.sh BUILD - the daemon and four simulated cameras on this machine. Prints
# the page's address, a media URL that plays as it is, and what to type into a
# real camera. Ctrl-C ends all of it.
#   DEMO_DATA   state (default ./gb28181d-data)   DEMO_SET  further -s options
#   DEMO_ONCE=1 leave everything running in the background and exit
set -eu
cd "$(dirname "$0")/.."
bin=$1
# as the programs speak it
case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
zh*) words() { printf '%s' "$2"; } ;;
*) words() { printf '%s' "$1"; } ;;
esac
data=${DEMO_DATA:-./gb28181d-data}
mkdir -p "$data"
log=$data/demo.log
: > "$data/demo.out"

# shellcheck disable=SC2086
"$bin/gb28181d" -s server.data="$data" ${DEMO_SET:-} > "$data/demo.out" 2> "$log" &
daemon=$!
cameras=
stop() {
    trap - INT TERM EXIT
    [ -z "$cameras" ] || kill "$cameras" 2>/dev/null || true
    kill "$daemon" 2>/dev/null || true
    wait 2>/dev/null || true
}
trap stop INT TERM EXIT

n=0
# it speaks the language of whoever has started it
until grep -Eq '^  (password|密码)  ' "$data/demo.out"; do
    if ! kill -0 "$daemon" 2>/dev/null; then
        words "demo: the daemon did not start:" "demo：平台未能启动：" >&2
        echo >&2
        cat "$log" "$data/demo.out" >&2
        exit 1
    fi
    n=$((n + 1))
    if [ $n -ge 100 ]; then
        words "demo: the daemon says nothing; see $log" "demo：平台没有输出，请查看 $log" >&2
        echo >&2
        exit 1
    fi
    sleep 0.1
done
cat "$data/demo.out"

page=$(sed -nE 's#^  (page|管理页面)  *(http://[^,]*).*#\2#p' "$data/demo.out" | head -1)
http=$(printf '%s' "$page" | sed 's|.*:\([0-9]*\)/$|\1|')
sip=$(sed -nE 's/^  (SIP server port|SIP 服务器端口)  *([0-9]*).*/\2/p' "$data/demo.out")
host=127.0.0.1
token=$(cat "$data/admin-token")
api() { curl -sS --max-time 15 -H "Authorization: Bearer $token" "$@"; }

"$bin/gbcam" --server "sip:34020000002000000001@$host:$sip" --password "@$data/device-password" \
    --devices 4 --channels 2 --keepalive 20 2>> "$log" &
cameras=$!

words "Four simulated cameras are registering " "四台模拟摄像机正在注册 "
n=0
while :; do
    online=$(api "http://$host:$http/api/v1/devices?limit=10" | tr '{' '\n' | grep -c '"online":true.*"catalog":"complete"' || true)
    [ "$online" -ge 4 ] && break
    n=$((n + 1))
    if [ $n -ge 150 ]; then
        echo
        words "demo: only $online online; see $log" "demo：仅 $online 台在线，请查看 $log" >&2
        echo >&2
        exit 1
    fi
    printf '.'
    sleep 0.2
done
words " $online online." " $online 台在线。"
echo
url=$(api -X POST "http://$host:$http/api/v1/devices/34020000001180000001/channels/34020000001310000001/live" |
    sed -n 's/.*"flv":"\([^"]*\)".*/\1/p')
words "
  Page       $page
  Picture    $url
             (plays as it is: ffplay, VLC; valid for 12 hours)
  Log        $log
" "
  管理页面   $page
  画面       $url
             （可直接播放：ffplay、VLC；12 小时内有效）
  日志       $log
"
echo
if [ "${DEMO_ONCE:-0}" = 1 ]; then
    trap - INT TERM EXIT
    echo "$daemon $cameras" > "$data/demo.pid"
    words "Running in the background: kill \$(cat $data/demo.pid) ends it." \
        "已在后台运行：kill \$(cat $data/demo.pid) 可结束。"
    echo
    exit 0
fi
words "Press Ctrl-C to end it." "按 Ctrl-C 结束。"
echo
wait "$daemon"
