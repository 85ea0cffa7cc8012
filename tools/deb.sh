#!/bin/sh
# deb.sh BUILD [OUT] - packs a finished build into OUT/gb28181d_VERSION_ARCH.deb
# (default: the folder above BUILD). ARCH=arm64 names another architecture than
# this machine's, SYSROOT its libraries. The same sources give the same bytes:
# times are those of the last commit (SOURCE_DATE_EPOCH).
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
build=${1:?"usage: tools/deb.sh BUILD [OUT]"}
out=${2:-build}
arch=${ARCH:-$(dpkg --print-architecture)}
version=$(cat VERSION)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || date +%s)}
export SOURCE_DATE_EPOCH
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
strip=${STRIP:-strip}

put() { # MODE FILE PATH
    install -D -m "$1" "$2" "$root$3"
}
zipped() { # FILE PATH
    install -d "$root$(dirname "$2")"
    gzip -9n < "$1" > "$root$2"
    chmod 644 "$root$2"
}

for p in gb28181d gbctl gbcam; do
    put 755 "$build/$p" "/usr/bin/$p"
    "$strip" "$root/usr/bin/$p"
done
put 644 packaging/systemd/gb28181d.service /lib/systemd/system/gb28181d.service
put 644 packaging/systemd/gb28181d.default /etc/default/gb28181d
put 640 packaging/systemd/gb28181d.yml /etc/gb28181d/gb28181d.yml
put 644 packaging/completion/gbctl.bash /usr/share/bash-completion/completions/gbctl
put 644 packaging/completion/gbctl.zsh /usr/share/zsh/vendor-completions/_gbctl
put 644 packaging/completion/gbctl.fish /usr/share/fish/vendor_completions.d/gbctl.fish
zipped docs/gb28181d.8 /usr/share/man/man8/gb28181d.8.gz
zipped docs/gbctl.1 /usr/share/man/man1/gbctl.1.gz
zipped docs/gbcam.1 /usr/share/man/man1/gbcam.1.gz
doc=/usr/share/doc/gb28181d
zipped CHANGELOG.md $doc/changelog.gz
put 644 docs/gb28181d.yml.example $doc/gb28181d.yml.example
put 644 packaging/prometheus/alerts.yml $doc/prometheus-alerts.yml
put 644 packaging/grafana/gb28181d.json $doc/grafana-dashboard.json
put 644 LICENSE $doc/copyright
cat > "$root/changelog" <<X
gb28181d ($version-1) unstable; urgency=medium

  * See changelog.gz.

 -- gb28181d <gb28181d@localhost>  $(date -Ru -d "@$SOURCE_DATE_EPOCH")
X
zipped "$root/changelog" $doc/changelog.Debian.gz
rm "$root/changelog"

# The packages of the libraries that the programs ask for, by this system's
# answer; their names are the same on every architecture.
depends=
for lib in $(readelf -d "$root"/usr/bin/* | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u); do
    case $lib in ld-linux*) continue ;; esac
    path=$(ldconfig -p | awk -v l="$lib" '$1 == l { print $NF; exit }')
    p=$(dpkg -S "$(readlink -f "$path")" "$path" 2> /dev/null | head -1 | sed 's/[:,].*//')
    [ -n "$p" ] || { echo "deb: no package has $lib" >&2; exit 1; }
    v=$(dpkg-query -W -f '${Version}' "$p" 2> /dev/null | head -1 | sed 's/^[0-9]*://; s/[-+~].*//')
    case $p in libc6) p="libc6 (>= $v)" ;; esac
    depends="$depends, $p"
done
depends=$(echo "$depends" | tr ',' '\n' | sed 's/^ *//' | grep . | sort -u | paste -sd, | sed 's/,/, /g')

install -d "$root/DEBIAN"
cat > "$root/DEBIAN/control" <<X
Package: gb28181d
Version: $version-1
Architecture: $arch
Maintainer: gb28181d <gb28181d@localhost>
Installed-Size: $(du -sk --apparent-size "$root/usr" "$root/etc" "$root/lib" | awk '{ n += $1 } END { print n }')
Depends: $depends, adduser, init-system-helpers
Section: video
Priority: optional
Description: GB/T 28181 video platform
 Cameras and recorders register with it over SIP and send their pictures over
 RTP; people and programs watch them in its page, as HTTP-FLV, fragmented MP4,
 HLS, MPEG-TS and RTSP. With gbctl, its client, and gbcam, a simulated camera.
X
printf '%s\n' /etc/default/gb28181d /etc/gb28181d/gb28181d.yml > "$root/DEBIAN/conffiles"
for s in postinst prerm postrm; do
    install -m 755 "packaging/debian/$s" "$root/DEBIAN/$s"
done
(cd "$root" && find usr etc lib -type f | sort | xargs md5sum) > "$root/DEBIAN/md5sums"
find "$root" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$out"
dpkg-deb --root-owner-group -Zxz --build "$root" "$out/gb28181d_$version-1_$arch.deb" > /dev/null
echo "$out/gb28181d_$version-1_$arch.deb"
