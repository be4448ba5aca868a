#!/usr/bin/env bash
# A node of Redis with Sentinel: both processes, with their files in the current folder.
# usage: node.sh LISTEN DOOR PRIMARY SENTINEL_LISTEN SENTINEL_DOOR      (the ports; PRIMARY is the first primary's door)
set -euo pipefail
listen=$1 door=$2 primary=$3 sentinel_listen=$4 sentinel_door=$5
is_new=no
# Both programs write into their files what they have learnt, and find it again when they are restarted.
if [ ! -e sentinel.conf ]; then
    is_new=yes
    {
        echo "port $listen"
        echo "replica-announce-ip 127.0.0.1"
        echo "replica-announce-port $door"
        echo "appendonly yes"
        echo "appendfsync always"
        # By default a primary waits five seconds for more replicas before it sends its data to the first.
        echo "repl-diskless-sync-delay 0"
        [ "$door" = "$primary" ] || echo "replicaof 127.0.0.1 $primary"
    } >redis.conf
    {
        echo "port $sentinel_listen"
        echo "sentinel announce-ip 127.0.0.1"
        echo "sentinel announce-port $sentinel_door"
        echo "sentinel monitor main 127.0.0.1 $primary 2"
        echo "sentinel down-after-milliseconds main 1000"
        echo "sentinel failover-timeout main 2000"
    } >sentinel.conf
fi
redis-server redis.conf &
# Sentinel asks the primary for its replicas when it begins, and then every ten seconds: let them be there, with all data.
for _ in $([ $is_new = no ] || seq 50); do
    [ "$(redis-cli -p "$primary" info replication 2>/dev/null | grep -c 'state=online')" != 2 ] || break
    sleep 0.1
done
redis-server sentinel.conf --sentinel &
# Either is missed.
wait -n
