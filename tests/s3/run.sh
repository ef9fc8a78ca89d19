#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Runs a command beside an object store on loopback: `sh tests/s3/run.sh sh tests/run.sh -L s3`.
#
# The store is Ceph's, see start_ceph.sh, or with NDKEEP_S3_SERVER_ONLY=1 the small server.py, which needs no packages.
# Everything is stopped and removed at the end, also if this script is killed. The command gets:
# * NDKEEP_S3_ENDPOINT, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: the store and its keys
# * NDKEEP_S3_PROXY: the same store behind proxy.py, which harms requests
# * NDKEEP_S3_SERVER: a command that runs server.py, a store that can misbehave
# * NDKEEP_S3_GATEWAY: a command that runs another gateway to the store on the port that follows; not with server.py
set -eu
[ $# != 0 ] || { echo "usage: $0 COMMAND [ARGUMENT…]" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
python=$(command -v python3) || { echo "$0: there is no python3" >&2; exit 1; }

dir=$(mktemp -d "${TMPDIR:-/tmp}/ndkeep-s3.XXXXXX")
stop() {
    sh "$here/start_ceph.sh" stop "$dir/ceph"
    for file in "$dir"/*.pid; do
        [ ! -f "$file" ] || kill "$(cat "$file")" 2>/dev/null || true
    done
    # A process that is ending may still write.
    rm -rf "$dir" 2>/dev/null || { sleep 1; rm -rf "$dir"; }
}
command=
watch=
finish() {
    status=$?
    trap '' HUP INT TERM
    [ -z "$command" ] || kill "$command" 2>/dev/null || true
    [ -z "$watch" ] || kill "$watch" 2>/dev/null || true
    stop
    exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Stops everything if this script is killed by a signal that it cannot catch.
main=$$
(
    trap - EXIT
    trap '' HUP INT
    while kill -0 "$main" 2>/dev/null; do sleep 1; done
    stop
) </dev/null >/dev/null 2>&1 &
watch=$!

# Starts a Python program that prints its port as its first line, and sets `port`.
start() {
    name=$1
    shift
    "$python" "$@" </dev/null >"$dir/$name.port" 2>"$dir/$name.log" &
    echo $! >"$dir/$name.pid"
    turns=0
    until [ -s "$dir/$name.port" ]; do
        turns=$((turns + 1))
        [ $turns -lt 200 ] || { cat "$dir/$name.log"; echo "$0: $name does not start" >&2; exit 1; }
        sleep 0.05
    done
    port=$(cat "$dir/$name.port")
}

export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=secret AWS_EC2_METADATA_DISABLED=true
unset AWS_SESSION_TOKEN AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION http_proxy https_proxy all_proxy ALL_PROXY || true
if [ -n "${NDKEEP_S3_SERVER_ONLY:-}" ]; then
    start server "$here/server.py"
    NDKEEP_S3_ENDPOINT=http://127.0.0.1:$port
else
    # Two free ports, below those that the system gives to connections.
    port=$("$python" -c '
import random, socket
while True:
    port = random.randrange(20000, 32000)
    with socket.socket() as one, socket.socket() as two:
        try:
            one.bind(("127.0.0.1", port))
            two.bind(("127.0.0.1", port + 1))
        except OSError:
            continue
    print(port)
    break')
    sh "$here/start_ceph.sh" "$dir/ceph" "$port" >"$dir/ceph.out" 2>"$dir/ceph.err" ||
        { cat "$dir/ceph.err"; tail -n 20 "$dir"/ceph/*.log; echo "$0: Ceph does not start" >&2; exit 1; } >&2
    NDKEEP_S3_ENDPOINT=http://127.0.0.1:$port
    export NDKEEP_S3_GATEWAY="sh '$here/start_ceph.sh' gateway '$dir/ceph'"
fi
start proxy "$here/proxy.py" "$port"
export NDKEEP_S3_ENDPOINT NDKEEP_S3_PROXY="http://127.0.0.1:$port" NDKEEP_S3_SERVER="'$python' '$here/server.py'"

# In the background, so that a signal is handled while it runs.
"$@" &
command=$!
echo "$command" >"$dir/command.pid"  # for the case that this script is killed
status=0
wait "$command" || status=$?
command=
rm -f "$dir/command.pid"
exit "$status"
