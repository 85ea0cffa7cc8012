#!/bin/sh
# demo.sh BUILD - the daemon and four simulated cameras on this machine. Prints
# the page's address, a media URL that plays as it is, and what to type into a
# real camera. Ctrl-C ends all of it.
#   DEMO_DATA   state (default ./gb28181d-data)   DEMO_SET  further -s options
#   DEMO_ONCE=1 leave everything running in the background and exit
set -eu
cd "$(dirname "$0")/.."
bin=$1
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
        echo "demo: the daemon did not start:" >&2
        cat "$log" "$data/demo.out" >&2
        exit 1
    fi
    n=$((n + 1))
    [ $n -lt 100 ] || { echo "demo: the daemon says nothing; see $log" >&2; exit 1; }
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

printf 'Four simulated cameras are registering '
n=0
while :; do
    online=$(api "http://$host:$http/api/v1/devices?limit=10" | tr '{' '\n' | grep -c '"online":true.*"catalog":"complete"' || true)
    [ "$online" -ge 4 ] && break
    n=$((n + 1))
    [ $n -lt 150 ] || { echo; echo "demo: only $online online; see $log" >&2; exit 1; }
    printf '.'
    sleep 0.2
done
echo " $online online."
url=$(api -X POST "http://$host:$http/api/v1/devices/34020000001180000001/channels/34020000001310000001/live" |
    sed -n 's/.*"flv":"\([^"]*\)".*/\1/p')
cat <<EOF

  Page       $page
  Picture    $url
             (plays as it is: ffplay, VLC; valid for 12 hours)
  Log        $log

EOF
if [ "${DEMO_ONCE:-0}" = 1 ]; then
    trap - INT TERM EXIT
    echo "$daemon $cameras" > "$data/demo.pid"
    echo "Running in the background: kill \$(cat $data/demo.pid) ends it."
    exit 0
fi
echo "Press Ctrl-C to end it."
wait "$daemon"
