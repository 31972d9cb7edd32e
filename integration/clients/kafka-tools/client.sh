#!/usr/bin/env bash
# Kafka's own command-line tools, run from their jars. CLASSPATH holds them; DATA is the daemon's data directory, if it is here.
set -uo pipefail
bootstrap=$1 prefix=$2
topic=$prefix-topic timed=$prefix-timed group=$prefix-group
codecs=(none gzip snappy lz4 zstd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A short-lived JVM gains nothing from its second compiler.
tool() {
  timeout 60 java -XX:TieredStopAtLevel=1 -Xshare:auto -Dorg.slf4j.simpleLogger.defaultLogLevel=warn "$@"
}
topics() { tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$bootstrap" "$@"; }
groups() { tool org.apache.kafka.tools.consumer.group.ConsumerGroupCommand --bootstrap-server "$bootstrap" "$@"; }
configs() { tool kafka.admin.ConfigCommand --bootstrap-server "$bootstrap" "$@"; }
consumer() { tool org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$bootstrap" "$@"; }
producer() { tool org.apache.kafka.tools.ConsoleProducer --bootstrap-server "$bootstrap" "$@"; }

# Runs a function as a step: it fails if any command in it does.
step() {
  local name=$1 reason
  if reason=$( (set -e; "$2" "${@:3}") 2>&1 >"$scratch/out"); then
    echo "PASS $name"
  else
    echo "FAIL $name: $(echo "$reason" "$(tail -c 200 "$scratch/out")" | tr '\n' ' ' | tail -c 300)"
  fi
}

create() {
  topics --create --topic "$topic" --partitions 3 --replication-factor 1
  topics --create --topic "$timed" --partitions 1 --replication-factor 1
}
produce() {
  local codec=$1
  seq 0 199 | sed "s/^/$codec /" | producer --topic "$topic" --compression-codec "$codec"
}
consume() {
  consumer --topic "$topic" --group "$group" --from-beginning --max-messages 1000 --timeout-ms 30000 \
    | sort >"$scratch/found"
  for codec in "${codecs[@]}"; do seq 0 199 | sed "s/^/$codec /"; done | sort >"$scratch/expected"
  diff "$scratch/found" "$scratch/expected"
}
described_offsets() {
  groups --describe --group "$group" --offsets >"$scratch/described"
  awk -v topic="$topic" '$2 == topic { sum += $4 } END { print sum + 0 }' "$scratch/described"
}
commit() {
  local committed
  committed=$(described_offsets)
  [[ $committed == 1000 ]] || { echo "committed: $committed" >&2; return 1; }
}
seek_by_time() {
  printf 'before\n' | producer --topic "$timed"
  local between
  between=$(($(date +%s%3N) + 1))
  while (($(date +%s%3N) <= between)); do :; done
  printf 'after\n' | producer --topic "$timed"
  tool org.apache.kafka.tools.GetOffsetShell --bootstrap-server "$bootstrap" --topic "$timed" --time "$between" \
    | grep -qx "$timed:0:1"
  groups --reset-offsets --group "$group" --topic "$topic" --to-datetime 2020-01-01T00:00:00.000 --execute
  local committed
  committed=$(described_offsets)
  [[ $committed == 0 ]] || { echo "reset to: $committed" >&2; return 1; }
}
list_topics() { topics --list | grep -qx "$topic"; }
describe_topic() { topics --describe --topic "$topic" | grep -q "PartitionCount: 3"; }
list_groups() { groups --list | grep -qx "$group"; }
describe_group() { groups --describe --group "$group" --state | grep -q Empty; }
alter_configs() {
  configs --alter --entity-type topics --entity-name "$topic" --add-config retention.ms=123456
  configs --describe --entity-type topics --entity-name "$topic" | grep -q retention.ms=123456
  configs --describe --entity-type brokers --entity-name "$(broker)" --all | grep -q message.max.bytes
}
broker() {
  topics --describe --topic "$topic" | sed -n 's/.*Leader: \([0-9]*\).*/\1/p' | head -1
}
# Every batch and every record of the topic, and the indexes, as Kafka's log dump sees them.
read_segment_files() {
  local log index records=0 found
  for log in "$DATA/$topic"-*/*.log; do
    tool org.apache.kafka.tools.DumpLogSegments --files "$log" --deep-iteration --print-data-log >"$scratch/dump"
    if grep -q "isvalid: false" "$scratch/dump"; then echo "invalid batches in $log" >&2; return 1; fi
    found=$(grep -c "^| offset: " "$scratch/dump")
    records=$((records + found))
    for index in "${log%.log}.index" "${log%.log}.timeindex"; do
      # A sparse index of a short segment may have no entry.
      [[ -s $index ]] || continue
      tool org.apache.kafka.tools.DumpLogSegments --files "$index" --verify-index-only >"$scratch/dump" 2>&1
      if grep -qiE "mismatch|exception|error" "$scratch/dump"; then tail -3 "$scratch/dump" >&2; return 1; fi
    done
  done
  [[ $records == 1000 ]] || { echo "records in the files: $records" >&2; return 1; }
}
delete_group() {
  groups --delete --group "$group"
  ! groups --list | grep -qx "$group"
}
delete_topic() {
  topics --delete --topic "$topic"
  topics --delete --topic "$timed"
  ! topics --list | grep -qx "$topic"
}

echo "CLIENT kafka-tools $(tool org.apache.kafka.tools.TopicCommand --version | cut -d' ' -f1)"
step "create" create
for codec in "${codecs[@]}"; do step "produce $codec" produce "$codec"; done
step "consume in a group" consume
step "commit" commit
step "seek by time" seek_by_time
step "list topics" list_topics
step "describe topic" describe_topic
step "list groups" list_groups
step "describe group" describe_group
step "configs" alter_configs
if [[ -n $DATA ]]; then
  step "read segment files" read_segment_files
else
  echo "NONE read segment files: the broker is not ours to look into"
fi
step "delete group" delete_group
step "delete topic" delete_topic
