#!/bin/sh
# Packs what was built into one Debian package, with its npm packages: nothing is fetched where it is installed.
set -eu
cd "$(dirname "$0")/.."
version="$(node -p 'require("./package.json").version')"
architecture="$(dpkg --print-architecture)"
tree="$(mktemp -d)"
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
home="$tree/usr/lib/causeway"

install -d "$home/dist" "$tree/usr/bin" "$tree/usr/share/doc/causeway" "$tree/DEBIAN"
cp -r dist/bundle dist/src dist/adapters "$home/dist/"
cp -r models mappings package.json package-lock.json .npmrc "$home/"
(cd "$home" && npm ci --omit=dev --silent --no-audit --no-fund)
rm "$home/package-lock.json" "$home/.npmrc"
find "$home/dist" -name '*.map' -delete
ln -s ../lib/causeway/dist/bundle/src/main.js "$tree/usr/bin/causeway"
install -Dm 644 systemd/causeway.service "$tree/usr/lib/systemd/system/causeway.service"
install -Dm 644 systemd/causeway.sysusers "$tree/usr/lib/sysusers.d/causeway.conf"
install -Dm 644 systemd/causeway.tmpfiles "$tree/usr/lib/tmpfiles.d/causeway.conf"
install -Dm 644 systemd/70-causeway.rules "$tree/usr/lib/udev/rules.d/70-causeway.rules"
cp README.md LICENSE NOTICE CHANGELOG.md docs/*.md "$tree/usr/share/doc/causeway/"

cat >"$tree/DEBIAN/control" <<EOF
Package: causeway
Version: $version
Architecture: $architecture
Maintainer: Causeway maintainers <maintainers@causeway.invalid>
Section: net
Priority: optional
Depends: libstdc++6, systemd
Recommends: nodejs (>= 20.19), bluez
Installed-Size: $(du -sk "$tree" | cut -f1)
Description: edge gateway that bridges field devices to LwM2M
 Reads Modbus, Bluetooth Low Energy, serial and MQTT devices and shows them to
 LwM2M servers as IPSO objects. Needs Node.js 20.19 or newer, from any source.
EOF
cat >"$tree/DEBIAN/postinst" <<'EOF'
#!/bin/sh
set -e
systemd-sysusers causeway.conf
systemd-tmpfiles --create causeway.conf
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  udevadm control --reload 2>/dev/null || true
  # After an upgrade; a new installation has no configuration yet.
  systemctl try-restart causeway.service
fi
EOF
cat >"$tree/DEBIAN/prerm" <<'EOF'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then systemctl disable --now causeway.service || true; fi
EOF
chmod 755 "$tree/DEBIAN/postinst" "$tree/DEBIAN/prerm"
package="dist/causeway_${version}_$architecture.deb"
dpkg-deb --root-owner-group --build -Zxz "$tree" "$package" >/dev/null
echo "$package"
