# Read by redis.sh and sentinel.sh.
set -eu

nodes="redis-0 redis-1 redis-2"
me=$HOSTNAME.redis-nodes.$NAMESPACE.svc

secret() { printf %s "$(cat "/secrets/$1")"; }

# Who the master is: what a sentinel says, else what the sentinel of this pod knew when it ended, else the first node.
find_master() {
	for node in $nodes; do
		said=$(REDISCLI_AUTH=$(secret sentinel-own) timeout 2 redis-cli -h "$node.redis-nodes.$NAMESPACE.svc" -p 26379 \
			sentinel get-master-addr-by-name watchkeeper 2>/dev/null | head -n 1) || said=
		case $said in *.redis-nodes.*) echo "$said" && return ;; esac
	done
	known=$(sed -n 's/^sentinel monitor watchkeeper \([^ ]*\) .*/\1/p' /data/sentinel.conf 2>/dev/null) || known=
	echo "${known:-redis-0.redis-nodes.$NAMESPACE.svc}"
}
