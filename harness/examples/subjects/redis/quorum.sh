#!/usr/bin/env bash
# Waits until every Sentinel knows the others. usage: quorum.sh PORT…
for port in "$@"; do
    until redis-cli -p "$port" sentinel ckquorum main 2>/dev/null | grep -q '^OK 3 '; do
        sleep 0.1
    done
done
