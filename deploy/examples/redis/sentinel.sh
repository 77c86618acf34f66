#!/bin/sh
# Starts the sentinel, which writes down in its own file what it learns; that file stays when the pod goes.
. /start/common.sh
umask 077

master=$(find_master)
until getent hosts "$master" >/dev/null; do
	echo "waiting for the name $master"
	sleep 1
done
if [ ! -s /data/sentinel.conf ]; then
	cat >/data/sentinel.conf <<EOF
dir /data
port 26379
requirepass $(secret sentinel-own)
sentinel sentinel-pass $(secret sentinel-own)
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $me
sentinel monitor watchkeeper $master 6379 2
sentinel auth-user watchkeeper sentinel
sentinel auth-pass watchkeeper $(secret sentinel)
sentinel down-after-milliseconds watchkeeper 5000
sentinel failover-timeout watchkeeper 60000
sentinel parallel-syncs watchkeeper 1
EOF
fi
exec redis-server /data/sentinel.conf --sentinel
