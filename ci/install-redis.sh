#!/usr/bin/env bash
# Redis, Debian's package, for the audits of it. Does nothing where it is installed. No service is started: audits start
# servers of their own.
set -euo pipefail
command -v redis-server >/dev/null && exit 0
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo --non-interactive"
$sudo apt-get update --quiet --quiet
# Debian's scripts do not start services in run level 1.
$sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install --quiet --quiet --yes --no-install-recommends redis-server
redis-server --version
