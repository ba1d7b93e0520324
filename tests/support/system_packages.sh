#!/bin/sh
# Installs the programs that tests need in addition to Python and Terraform, if possible without asking:
# as root on a system with apt. Elsewhere it says what to install; the tests that need it are skipped by name, or fail.
# Arguments: other programs instead, each by its name, or as PROGRAM=PACKAGE.
set -eu

# Debian has Chromium without windows, too, which takes a third of the processor's time for a page.
browser=chromium
if apt-cache show chromium-headless-shell >/dev/null 2>&1; then
    [ "$(id -u)" != 0 ] && command -v chromium >/dev/null || browser=chromium-headless-shell
fi

missing=""
for each in ${*:-pngcheck $browser}; do
    command -v "${each%=*}" >/dev/null || missing="$missing ${each#*=}"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086  # a list of words, each the name of a package
    apt-get install -qq --yes --no-install-recommends $missing >/dev/null
else
    echo "Not installed:$missing. Tests that need them are skipped or fail. To run these too, install the packages" \
        "of those names, on Debian and Ubuntu: sudo apt-get install$missing" >&2
fi
