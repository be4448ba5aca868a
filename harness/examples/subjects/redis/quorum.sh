#!/usr/bin/env bash
# Waits until every Sentinel knows the others and two replicas. usage: quorum.sh PORT…
for port in "$@"; do
    until redis-cli -p "$port" sentinel ckquorum main 2>/dev/null | grep -q '^OK 3 ' &&
        [ "$(redis-cli -p "$port" sentinel replicas main 2>/dev/null | grep -c '^name$')" = 2 ]; do
        sleep 0.1
    done
done
