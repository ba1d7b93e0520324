#!/bin/sh
# Unpacks Debian's arm64 Python into a folder, for qemu-user to run it there. Nothing of it is installed:
# apt keeps its lists for another architecture in that folder too, and checks signatures as usual.
# Argument: the folder. Needs a Debian whose python3 is one that Lambda runs, and qemu-user.
set -eu

folder=$1
version=python3.11
[ ! -x "$folder/root/usr/bin/$version" ] || exit 0

rm -rf "$folder"
mkdir -p "$folder/lists/partial" "$folder/archives/partial"
: >"$folder/status" # as if nothing were installed
folder=$(cd "$folder" && pwd)

apt() {
    apt-get -qq --yes \
        -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Install-Recommends=false \
        -o Dir::State="$folder" -o Dir::State::status="$folder/status" -o Dir::State::lists="$folder/lists" \
        -o Dir::Cache="$folder" -o Dir::Cache::archives="$folder/archives" \
        -o Debug::NoLocking=true -o APT::Sandbox::User="$(id -un)" "$@"
}

apt update
apt --download-only install "$version"
mkdir "$folder/unpacked"
for package in "$folder"/archives/*.deb; do
    dpkg-deb --extract "$package" "$folder/unpacked"
done
rm -rf "$folder/lists" "$folder/archives"
mv "$folder/unpacked" "$folder/root"
