#!/usr/bin/env bash
# War and Peace, lstm, all defaults of `tikitaka train --net lstm`: one seed each, two at a time.
# usage: results/lstm.sh DATA OUT     (DATA: folder of data sets; OUT: a folder for a RUN of each case, the lines of
#                                      lstm.jsonl and the picture lstm.png)
set -euo pipefail
data=$1 out=$2
run() {
    name=$1
    shift
    tikitaka train --net lstm --data-dir "$data" --seed 1 --threads 1 --json --out "$out/$name" "$@" |
        sed "s/^{/{\"case\": \"$name\", /" >"$out/$name.part"
    mv "$out/$name.part" "$out/$name.json"
}
export -f run
export data out
mkdir -p "$out"
cases() {
    echo "ttv2-full --rule ttv2 --periphery full"
    echo "ttv2 --rule ttv2"
    echo "float --rule float"
}
cases | xargs -P 2 -I {} bash -euo pipefail -c 'run {}'
cat "$out"/{float,ttv2,ttv2-full}.json >"$out/lstm.jsonl"
tikitaka plot "$out"/{float,ttv2,ttv2-full} --out "$out/lstm.png" --line "R24 float=1.35" --line "R24 TTv2=1.62"
