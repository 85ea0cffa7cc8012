#!/bin/sh
# debtest.sh DEB ROOT - a package in a folder made by
#   debootstrap --variant=minbase bookworm ROOT
# installs, starts, upgrades (as a later version), is removed and purged, and
# leaves nothing. As root; without systemd, so that the daemon is started by hand.
set -eu
deb=${1:?"usage: tools/debtest.sh DEB ROOT"}
root=${2:?"usage: tools/debtest.sh DEB ROOT"}
port=$((20000 + $$ % 4500 * 2)) # of pairs the first is even
pid=
end() {
    [ -z "$pid" ] || kill "$pid" 2> /dev/null || true
    umount "$root/proc" 2> /dev/null || true
}
trap end EXIT
fail() {
    echo "debtest: $*"
    exit 1
}
in_root() {
    chroot "$root" /usr/bin/env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

mount -t proc proc "$root/proc"
cp "$deb" "$root/tmp/one.deb"
later=$(mktemp -d)
dpkg-deb -R "$deb" "$later/x"
sed -i 's/^Version: .*/&.later/' "$later/x/DEBIAN/control"
echo "# later" >> "$later/x/etc/default/gb28181d"
dpkg-deb --root-owner-group -b "$later/x" "$root/tmp/two.deb" > /dev/null
rm -rf "$later"

run() { # starts it as its user, asks, stops it
    chroot "$root" setpriv --reuid gb28181d --regid gb28181d --clear-groups \
        /usr/bin/gb28181d -s sip.listen=127.0.0.1:$port -s http.listen=127.0.0.1:$((port + 1)) \
        -s rtsp.listen=127.0.0.1:$((port + 2)) -s media.ports=$((port + 10))-$((port + 29)) \
        -s media.shared_port=$((port + 40)) > "$root/tmp/log" 2>&1 &
    pid=$!
    n=0
    until curl -sf "http://127.0.0.1:$((port + 1))/readyz" > /dev/null; do
        n=$((n + 1))
        [ $n -lt 60 ] || { cat "$root/tmp/log"; fail "it is not ready"; }
        sleep 0.5
    done
    in_root gbctl --url "http://127.0.0.1:$((port + 1))" devices > /dev/null || fail "gbctl"
    kill "$pid"
    wait "$pid" || fail "it ended with $?"
    pid=
}

in_root apt-get update -q > "$root/tmp/apt" 2>&1 || true
in_root apt-get install -q -y --no-install-recommends /tmp/one.deb >> "$root/tmp/apt" 2>&1 || { tail "$root/tmp/apt"; fail "install"; }
[ "$(in_root stat -c '%U %a' /var/lib/gb28181d)" = "gb28181d 700" ] || fail "the state is not its user's"
[ "$(in_root stat -c '%G %a' /etc/gb28181d/gb28181d.yml)" = "gb28181d 640" ] || fail "the configuration is not for its group"
in_root gb28181d --check > /dev/null || fail "the configuration"
run
token=$(cat "$root/var/lib/gb28181d/admin-token")
echo "OPTIONS=\"-s log.level=debug\"" > "$root/etc/default/gb28181d"
in_root apt-get install -q -y -o Dpkg::Options::=--force-confold --no-install-recommends /tmp/two.deb >> "$root/tmp/apt" 2>&1 || { tail "$root/tmp/apt"; fail "upgrade"; }
grep -q debug "$root/etc/default/gb28181d" || fail "the upgrade has lost a setting"
[ "$(cat "$root/var/lib/gb28181d/admin-token")" = "$token" ] || fail "the upgrade has lost the state"
run
in_root dpkg -r gb28181d >> "$root/tmp/apt" 2>&1 || fail "remove"
[ -f "$root/var/lib/gb28181d/admin-token" ] || fail "removing has lost the state"
[ ! -e "$root/usr/bin/gb28181d" ] || fail "the program is left"
in_root dpkg -P gb28181d >> "$root/tmp/apt" 2>&1 || fail "purge"
left=$(find "$root/etc" "$root/usr" "$root/var" "$root/lib/systemd" -name '*gb28181*' -not -path '*/apt/*' -not -path '*/log/*')
[ -z "$left" ] || fail "left: $left"
! grep -q gb28181d "$root/etc/passwd" || fail "the user is left"
echo "debtest: installed, started, upgraded, removed, purged"
