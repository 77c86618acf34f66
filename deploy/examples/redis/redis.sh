#!/bin/sh
# Starts Redis as the master or as a replica of it.
. /start/common.sh
umask 077

# The users of deploy/redis/users.acl with the hashes of their passwords, and two that the servers need among themselves.
hash() { secret "$1" | sha256sum | cut -d ' ' -f 1; }
cp /users/users.acl /data/users.acl
for user in watchkeeper wkctl; do
	if [ -f "/secrets/$user" ]; then
		sed -i "s/^user $user on/& #$(hash "$user")/" /data/users.acl
	fi
done
cat >>/data/users.acl <<EOF
user replica on #$(hash replica) -@all +psync +replconf +ping
user sentinel on #$(hash sentinel) allchannels -@all +multi +exec +slaveof +ping +subscribe +publish +info +role +config|rewrite +client|setname +client|kill +script|kill
EOF

cat >/data/redis.conf <<EOF
dir /data
port 6379
aclfile /data/users.acl
masteruser replica
masterauth $(secret replica)
replica-announce-ip $me

# What was answered is written down before the next second, and nothing is thrown away to make room.
appendonly yes
appendfsync everysec
maxmemory 600mb
maxmemory-policy noeviction

# A master that has lost sight of its replicas takes no writes: they would be lost with it.
min-replicas-to-write 1
min-replicas-max-lag 10
EOF
master=$(find_master)
if [ "$master" != "$me" ]; then
	echo "replicaof $master 6379" >>/data/redis.conf
fi
exec redis-server /data/redis.conf
