#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Starts Ceph's object store on loopback, for one user: `sh tests/s3/start_ceph.sh DIRECTORY [PORT]`. Prints what the
# tests need, to be evaluated by a shell. It needs root and the packages ceph-mon, ceph-osd, radosgw and ceph-common.
# `sh tests/s3/start_ceph.sh stop DIRECTORY` ends it at once: its data are lost.
# `sh tests/s3/start_ceph.sh gateway DIRECTORY PORT` runs another gateway to the same data, until it is killed.
set -eu
case $1 in
stop)
    for file in "$2"/*.pid; do
        [ ! -f "$file" ] || kill -KILL "$(cat "$file")" 2>/dev/null || true
    done
    exit 0
    ;;
gateway)
    cd "$2"
    export CEPH_CONF="$PWD/ceph.conf"
    exec radosgw -f -n client.rgw --rgw-frontends "beast endpoint=127.0.0.1:$3 tcp_nodelay=1" --log-file "$PWD/gateway-$3.log" \
        --admin-socket "$PWD/gateway-$3.asok" --pid-file ''
    ;;
esac
mkdir -p "$1"
cd "$1"
dir=$PWD
port=${2:-7480}
mon=$((port + 1))
fsid=$(cat /proc/sys/kernel/random/uuid)
export CEPH_CONF="$dir/ceph.conf"
cat >ceph.conf <<END
[global]
fsid = $fsid
mon host = v1:127.0.0.1:$mon
ms bind msgr2 = false
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
osd pool default pg num = 4
osd objectstore = bluestore
bluestore block size = 8589934592
osd memory target = 939524096
mon allow pool size one = true
mon warn on pool no redundancy = false
run dir = $dir
log file = $dir/\$name.log
admin socket = $dir/\$name.asok
pid file = $dir/\$name.pid
mon data = $dir/mon
osd data = $dir/osd
rgw data = $dir/rgw
rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
[osd]
osd journal size = 100
END
mkdir -p mon osd rgw
monmaptool --create --clobber --fsid "$fsid" --addv a "[v1:127.0.0.1:$mon]" monmap >monmap.log
ceph-mon --mkfs -i a --monmap monmap >mon.log 2>&1
ceph-mon -i a >>mon.log 2>&1
osd=$(cat /proc/sys/kernel/random/uuid)
ceph osd new "$osd" 0 >osd.log 2>&1
ceph-osd -i 0 --mkfs --osd-uuid "$osd" >>osd.log 2>&1
# The monitor refuses it in its first seconds.
i=0
until ceph-osd -i 0 >>osd.log 2>&1; do
    i=$((i + 1))
    [ $i -lt 20 ] || { echo "the storage daemon does not start" >&2; exit 1; }
    sleep 1
done
radosgw -n client.rgw >rgw.log 2>&1
radosgw-admin user create --uid=ndkeep --display-name=ndkeep --access-key=test --secret=secret >user.log 2>&1
i=0
until curl -s "http://127.0.0.1:$port" >/dev/null; do
    i=$((i + 1))
    [ $i -lt 120 ] || { echo "the object store does not answer" >&2; exit 1; }
    sleep 0.5
done
curl -s -f -X PUT --aws-sigv4 aws:amz:us-east-1:s3 -u test:secret -H "x-amz-content-sha256: UNSIGNED-PAYLOAD" "http://127.0.0.1:$port/ndkeep-test"
echo "export NDKEEP_S3_ENDPOINT=http://127.0.0.1:$port AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=secret"
