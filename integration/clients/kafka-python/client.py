"""kafka-python: the protocol in pure Python."""

import sys

import kafka
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic

from steps import CODECS, PATIENCE_S, RECORDS, TIMED_RECORDS, TIMED_STEP_MS, Steps, all_values, equal, eventually
from steps import timed_base, values

bootstrap, prefix = sys.argv[1:3]
topic, timed, group = f"{prefix}-topic", f"{prefix}-timed", f"{prefix}-group"
steps = Steps("kafka-python", kafka.__version__)
admin = KafkaAdminClient(bootstrap_servers=bootstrap)


def produce(name, records, codec=None):
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", compression_type=codec, linger_ms=20)
    sent = [producer.send(name, **record) for record in records]
    for answer in sent:
        answer.get(PATIENCE_S)
    producer.close()


def consumer(**settings):
    return KafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        consumer_timeout_ms=PATIENCE_S * 1000,
        **settings,
    )


def read(reader, count):
    found = []
    for record in reader:
        found.append(record)
        if len(found) == count:
            break
    return found


with steps.step("create"):
    admin.create_topics([NewTopic(topic, 3, 1), NewTopic(timed, 1, 1)])
for codec in CODECS:
    with steps.step(f"produce {codec}"):
        records = [{"key": value.encode(), "value": value.encode()} for value in values(codec)]
        produce(topic, records, None if codec == "none" else codec)
reader = consumer(group_id=group)
with steps.step("consume in a group"):
    reader.subscribe([topic])
    found = read(reader, len(CODECS) * RECORDS)
    equal(sorted(record.value.decode() for record in found), all_values(), "values")
with steps.step("commit"):
    reader.commit()
    committed = sum(reader.committed(TopicPartition(topic, partition)) or 0 for partition in range(3))
    equal(committed, len(CODECS) * RECORDS, "committed offsets")
with steps.step("seek by time"):
    base = timed_base()
    produce(timed, [
        {"value": str(at).encode(), "timestamp_ms": base + at * TIMED_STEP_MS} for at in range(TIMED_RECORDS)
    ])
    seeker, partition = consumer(), TopicPartition(timed, 0)
    found = seeker.offsets_for_times({partition: base + 50 * TIMED_STEP_MS - 1})[partition]
    equal(found.offset, 50, "offset")
    seeker.assign([partition])
    seeker.seek(partition, found.offset)
    equal(read(seeker, 1)[0].value, b"50", "value")
    seeker.close()
with steps.step("list topics"):
    equal({topic, timed} <= set(admin.list_topics()), True, "topics are listed")
with steps.step("describe topic"):
    equal(len(admin.describe_topics([topic])[0]["partitions"]), 3, "partitions")
with steps.step("list groups"):
    listed = [found["group_id"] if isinstance(found, dict) else found[0] for found in admin.list_groups()]
    equal(group in listed, True, "the group is listed")
with steps.step("describe group"):
    described = admin.describe_groups([group])
    described = described[group] if isinstance(described, dict) else described[0]
    equal((described["group_state"], len(described["members"])), ("Stable", 1), "state and members")
with steps.step("configs"):
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "123456"})])
    described = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    equal("123456" in str(described), True, "retention.ms is described as it was set")
reader.close()
with steps.step("delete group"):
    admin.delete_groups([group])
    listed = [found["group_id"] if isinstance(found, dict) else found[0] for found in admin.list_groups()]
    equal(group in listed, False, "the group is listed")
with steps.step("delete topic"):
    admin.delete_topics([topic, timed])
    eventually("topics to go", lambda: not {topic, timed} & set(admin.list_topics()))
