"""confluent-kafka: librdkafka from Python."""

import sys
import time

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic

from steps import CODECS, PATIENCE_S, RECORDS, TIMED_RECORDS, TIMED_STEP_MS, Steps, all_values, equal, eventually
from steps import timed_base, values

bootstrap, prefix = sys.argv[1:3]
topic, timed, group = f"{prefix}-topic", f"{prefix}-timed", f"{prefix}-group"
steps = Steps("confluent-kafka", f"{ck.version()[0] if isinstance(ck.version(), tuple) else ck.version()}")
admin = AdminClient({"bootstrap.servers": bootstrap})


def produce(name, records, **settings):
    failed = []
    producer = ck.Producer({"bootstrap.servers": bootstrap, "acks": "all", **settings})
    for record in records:
        producer.produce(name, on_delivery=lambda error, _: error and failed.append(str(error)), **record)
    equal(producer.flush(PATIENCE_S), 0, "records without an answer")
    equal(failed, [], "failed deliveries")


def consumer():
    settings = {"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False}
    return ck.Consumer({**settings, "auto.offset.reset": "earliest"})


def read(reader, count):
    found, deadline = [], time.monotonic() + PATIENCE_S
    while len(found) < count and time.monotonic() < deadline:
        record = reader.poll(0.5)
        if record is not None:
            if record.error():
                raise ck.KafkaException(record.error())
            found.append(record)
    return found


with steps.step("create"):
    for created in admin.create_topics([NewTopic(topic, 3, 1), NewTopic(timed, 1, 1)]).values():
        created.result(PATIENCE_S)
for codec in CODECS:
    with steps.step(f"produce {codec}"):
        records = [{"key": value, "value": value} for value in values(codec)]
        produce(topic, records, **{"compression.type": codec, "linger.ms": 20})
reader = consumer()
with steps.step("consume in a group"):
    reader.subscribe([topic])
    found = read(reader, len(CODECS) * RECORDS)
    equal(sorted(record.value().decode() for record in found), all_values(), "values")
with steps.step("commit"):
    reader.commit(asynchronous=False)
    partitions = [ck.TopicPartition(topic, partition) for partition in range(3)]
    committed = sum(partition.offset for partition in reader.committed(partitions, PATIENCE_S))
    equal(committed, len(CODECS) * RECORDS, "committed offsets")
with steps.step("seek by time"):
    base = timed_base()
    produce(timed, [{"value": str(at), "timestamp": base + at * TIMED_STEP_MS} for at in range(TIMED_RECORDS)])
    seeker = consumer()
    found = seeker.offsets_for_times([ck.TopicPartition(timed, 0, base + 50 * TIMED_STEP_MS - 1)], PATIENCE_S)
    equal(found[0].offset, 50, "offset")
    seeker.assign(found)
    equal(read(seeker, 1)[0].value(), b"50", "value")
    seeker.close()
with steps.step("list topics"):
    equal({topic, timed} <= set(admin.list_topics(timeout=PATIENCE_S).topics), True, "topics are listed")
with steps.step("describe topic"):
    described = admin.describe_topics(ck.TopicCollection([topic]))[topic].result(PATIENCE_S)
    equal(len(described.partitions), 3, "partitions")
with steps.step("list groups"):
    listed = admin.list_consumer_groups(request_timeout=PATIENCE_S).result(PATIENCE_S)
    equal(group in [found.group_id for found in listed.valid], True, "the group is listed")
with steps.step("describe group"):
    described = admin.describe_consumer_groups([group])[group].result(PATIENCE_S)
    equal((described.state.name, len(described.members)), ("STABLE", 1), "state and members")
with steps.step("configs"):
    wanted = ConfigEntry("retention.ms", "123456", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[wanted])
    for altered in admin.incremental_alter_configs([resource]).values():
        altered.result(PATIENCE_S)
    for described in admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)]).values():
        equal(described.result(PATIENCE_S)["retention.ms"].value, "123456", "retention.ms")
reader.close()
with steps.step("delete group"):
    admin.delete_consumer_groups([group])[group].result(PATIENCE_S)
with steps.step("delete topic"):
    for deleted in admin.delete_topics([topic, timed]).values():
        deleted.result(PATIENCE_S)
    eventually("topics to go", lambda: not {topic, timed} & set(admin.list_topics(timeout=PATIENCE_S).topics))
