#!/bin/sh
# node_modules as an image holds it, and what is in it as a CycloneDX list: prune-modules.sh <amd64|arm64>
# Packages' own binaries (koffi's) are taken for that platform, whichever this one is.
set -eu
case $1 in amd64) cpu=x64 ;; arm64) cpu=arm64 ;; *) echo "prune-modules: no platform $1: amd64 or arm64" >&2; exit 1 ;; esac

npm ci --omit=dev --ignore-scripts --os=linux --cpu="$cpu" --libc=glibc
# The base brings Node: those that npm has are left out.
rm -rf node_modules/node-linux-* node_modules/node-bin-*
[ -d "node_modules/@koromix/koffi-linux-$cpu" ] || { echo "prune-modules: koffi has no binary for linux-$cpu" >&2; exit 1; }

# Nothing of this is ever loaded; licenses stay.
rm -rf node_modules/@types node_modules/.bin node_modules/koffi/vendor node_modules/koffi/doc
find node_modules/koffi -name '*.cc' -delete -o -name '*.hh' -delete -o -name '*.S' -delete -o -name '*.asm' -delete
find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.md' -o -name '*.markdown' \) \
  ! -iname 'license*' ! -iname 'notice*' -delete
find node_modules -maxdepth 3 -type d \( -name test -o -name tests -o -name __tests__ -o -name example -o -name examples -o -name bench -o -name benchmarks \) \
  -prune -exec rm -rf {} +
node deploy/sbom.mjs > sbom.cdx.json
