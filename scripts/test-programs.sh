#!/bin/sh
# What tests need of Debian beside Node: a D-Bus daemon for the double of BlueZ, openssl for certificates.
set -eu
missing=""
command -v dbus-daemon >/dev/null || missing="$missing dbus-daemon"
command -v openssl >/dev/null || missing="$missing openssl"
[ -z "$missing" ] && exit 0
as_root=""
if [ "$(id -u)" != 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "the tests need Debian packages; run: sudo apt-get install$missing" >&2
    exit 1
  fi
  as_root="sudo -n"
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
$as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
