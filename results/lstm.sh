#!/usr/bin/env bash
# War and Peace, lstm, all defaults of `tikitaka train --net lstm`: four cases, two at a time.
# usage: results/lstm.sh DATA OUT     (DATA: folder of data sets; OUT: the folder for one RUN folder per case)
set -euo pipefail
data=$1 out=$2
run() {
    name=$1
    shift
    tikitaka train --net lstm --data-dir "$data" --seed 1 --threads 1 --out "$out/$name" "$@"
}
export -f run
export data out
cases() {
    echo "ttv2-full --rule ttv2 --periphery full"
    echo "ttv2 --rule ttv2"
    echo "sgd --rule sgd"
    echo "float --rule float"
}
mkdir -p "$out"
cases | xargs -P 2 -I {} bash -c 'run {}'
