#!/bin/sh
# The root file system of an image, from Debian's packages and unpacked only, so that it can be of another platform than this one:
#   make-root.sh <amd64|arm64> <folder> [package…]
# Beside the packages named: the C and C++ libraries that Node needs, certificate authorities and time zones' data. What Debian
# knows of each package stays in var/lib/dpkg/status.d, where scanners and SBOM tools look for it.
set -eu
arch=$1 root=$2
shift 2

case $arch in amd64 | arm64) ;; *) echo "make-root: no platform $arch: amd64 or arm64" >&2; exit 1 ;; esac
[ "$arch" = "$(dpkg --print-architecture)" ] || dpkg --add-architecture "$arch"
apt-get update
work=$(mktemp -d)
# Not as the user _apt, who may not write there.
(cd "$work" && apt-get -o APT::Sandbox::User=root download \
  $(for name in libc6 libgcc-s1 libstdc++6 "$@"; do echo "$name:$arch"; done) ca-certificates tzdata)

mkdir -p "$root/var/lib/dpkg/status.d" "$root/etc" "$root/run" "$root/proc" "$root/sys" "$root/dev" "$root/home/waggle"
mkdir -m 1777 "$root/tmp"
for file in "$work"/*.deb; do
  dpkg-deb --extract "$file" "$root"
  { echo 'Status: install ok installed'; dpkg-deb --field "$file"; } > "$root/var/lib/dpkg/status.d/$(dpkg-deb --field "$file" Package)"
done
# The bundle that programs read; the package makes it when it is configured.
mkdir -p "$root/etc/ssl/certs"
find "$root/usr/share/ca-certificates" -name '*.crt' | sort | xargs cat > "$root/etc/ssl/certs/ca-certificates.crt"

# Licenses stay; documents, other alphabets' tables and the linker's own programs are nothing a program opens.
find "$root/usr/share/doc" -type f ! -name copyright -delete
rm -rf "$root"/usr/share/man "$root"/usr/share/locale "$root"/usr/share/lintian "$root"/usr/share/bug "$root"/usr/share/gcc \
  "$root"/usr/share/gdb "$root"/usr/share/ca-certificates "$root"/usr/share/zoneinfo/right "$root"/usr/share/zoneinfo/posix \
  "$root"/usr/lib/*/gconv "$root"/usr/lib/*/audit "$root"/usr/sbin "$root"/usr/bin "$root"/sbin "$root"/bin

echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
printf 'root:x:0:0:root:/root:/none\nwaggle:x:65532:65532:waggle:/home/waggle:/none\n' > "$root/etc/passwd"
printf 'root:x:0:\nwaggle:x:65532:\n' > "$root/etc/group"
rm -rf "$work"
