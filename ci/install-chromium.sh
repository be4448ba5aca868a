#!/usr/bin/env bash
# Chromium, Debian's package, for the test that opens the picture of a history. Does nothing where it is installed, and
# where it cannot be: the test then says that it was skipped.
set -euo pipefail
command -v chromium >/dev/null && exit 0
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo --non-interactive"
if ! command -v apt-get >/dev/null; then
    echo "chromium is absent, and so is apt-get: the picture is not opened"
    exit 0
fi
$sudo apt-get update --quiet --quiet &&
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends chromium ||
    echo "chromium cannot be installed: the picture is not opened"
