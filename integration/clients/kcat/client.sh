#!/usr/bin/env bash
# kcat: librdkafka from the shell, as many operators have it. It has no admin client.
set -uo pipefail
bootstrap=$1 prefix=$2
topic=$prefix-topic timed=$prefix-timed group=$prefix-group
codecs=(none gzip snappy lz4 zstd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Runs a function as a step: it fails if any command in it does.
step() {
  local name=$1 reason
  if reason=$( (set -e; "$2" "${@:3}") 2>&1 >"$scratch/out"); then
    echo "PASS $name"
  else
    echo "FAIL $name: $(echo "$reason" "$(tail -c 200 "$scratch/out")" | tr '\n' ' ' | tail -c 300)"
  fi
}

produce() {
  local codec=$1
  seq 0 199 | sed "s/^/$codec /" | timeout 30 kcat -b "$bootstrap" -P -t "$topic" -z "$codec" -X acks=all
}

consume() {
  # Leaves after 1000 records, with their offsets committed.
  timeout 60 kcat -b "$bootstrap" -q -c 1000 -X auto.offset.reset=earliest -G "$group" "$topic" | sort >"$scratch/found"
  for codec in "${codecs[@]}"; do seq 0 199 | sed "s/^/$codec /"; done | sort >"$scratch/expected"
  diff "$scratch/found" "$scratch/expected"
}

commit() {
  echo later | timeout 30 kcat -b "$bootstrap" -P -t "$topic"
  local next
  next=$(timeout 60 kcat -b "$bootstrap" -q -c 1 -X auto.offset.reset=earliest -G "$group" "$topic")
  [[ $next == later ]] || { echo "went on with: $next" >&2; return 1; }
}

seek_by_time() {
  printf 'before\n' | timeout 30 kcat -b "$bootstrap" -P -t "$timed" -X acks=all
  local between
  between=$(($(date +%s%3N) + 1))
  while (($(date +%s%3N) <= between)); do :; done
  printf 'after\n' | timeout 30 kcat -b "$bootstrap" -P -t "$timed" -X acks=all
  local found offset
  found=$(timeout 30 kcat -b "$bootstrap" -q -C -t "$timed" -p 0 -o "s@$between" -c 1)
  [[ $found == after ]] || { echo "found: $found" >&2; return 1; }
  offset=$(timeout 30 kcat -b "$bootstrap" -Q -t "$timed:0:$between")
  [[ $offset == *"offset 1"* ]] || { echo "offset: $offset" >&2; return 1; }
}

list_topics() { timeout 30 kcat -b "$bootstrap" -L | grep -q "topic \"$topic\""; }
describe_topic() { timeout 30 kcat -b "$bootstrap" -L -J -t "$topic" | grep -q '"partition":0,"leader":'; }

echo "CLIENT kcat $(kcat -V 2>&1 | sed -n 's/^Version \([^ ]*\).*librdkafka \([^ ]*\).*/\1, librdkafka \2/p')"
echo "NONE create: has no admin client; the first produce creates"
for codec in "${codecs[@]}"; do step "produce $codec" produce "$codec"; done
step "consume in a group" consume
step "commit" commit
step "seek by time" seek_by_time
step "list topics" list_topics
step "describe topic" describe_topic
for none in "list groups" "describe group" "configs" "delete group" "delete topic"; do
  echo "NONE $none: has no admin client"
done
