"""aiokafka: asyncio; speaks only the non-flexible versions of every API."""

import asyncio
import sys

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from steps import CODECS, PATIENCE_S, RECORDS, TIMED_RECORDS, TIMED_STEP_MS, Steps, all_values, equal
from steps import timed_base, values

bootstrap, prefix = sys.argv[1:3]
topic, timed, group = f"{prefix}-topic", f"{prefix}-timed", f"{prefix}-group"
steps = Steps("aiokafka", aiokafka.__version__)


async def produce(name, records, codec=None):
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", compression_type=codec, linger_ms=20
    ) as producer:
        sent = [await producer.send(name, **record) for record in records]
        await asyncio.wait_for(asyncio.gather(*sent), PATIENCE_S)


def consumer(*topics, **settings):
    return AIOKafkaConsumer(
        *topics, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest", **settings
    )


async def read(reader, count):
    return [await asyncio.wait_for(reader.getone(), PATIENCE_S) for _ in range(count)]


async def codecs():
    for codec in CODECS:
        with steps.step(f"produce {codec}"):
            records = [{"key": value.encode(), "value": value.encode()} for value in values(codec)]
            await produce(topic, records, None if codec == "none" else codec)


async def seek_by_time():
    base = timed_base()
    await produce(timed, [
        {"value": str(at).encode(), "timestamp_ms": base + at * TIMED_STEP_MS} for at in range(TIMED_RECORDS)
    ])
    partition = TopicPartition(timed, 0)
    async with consumer() as seeker:
        seeker.assign([partition])
        found = await seeker.offsets_for_times({partition: base + 50 * TIMED_STEP_MS - 1})
        equal(found[partition].offset, 50, "offset")
        seeker.seek(partition, found[partition].offset)
        equal((await read(seeker, 1))[0].value, b"50", "value")


async def look(admin):
    with steps.step("list topics"):
        equal({topic, timed} <= set(await admin.list_topics()), True, "topics are listed")
    with steps.step("describe topic"):
        equal(len((await admin.describe_topics([topic]))[0]["partitions"]), 3, "partitions")
    with steps.step("list groups"):
        equal(group in [found[0] for found in await admin.list_consumer_groups()], True, "the group is listed")
    with steps.step("describe group"):
        described = (await admin.describe_consumer_groups([group]))[0]
        _, _, state, _, _, members = described.groups[0][:6]
        equal((state, len(members)), ("Stable", 1), "state and members")
    with steps.step("configs"):
        wanted = ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "123456"})
        await admin.alter_configs([wanted])
        described = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        equal("123456" in str(described), True, "retention.ms is described as it was set")


async def main():
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    with steps.step("create"):
        await admin.create_topics([NewTopic(topic, 3, 1), NewTopic(timed, 1, 1)])
    await codecs()
    async with consumer(topic, group_id=group) as reader:
        with steps.step("consume in a group"):
            found = await read(reader, len(CODECS) * RECORDS)
            equal(sorted(record.value.decode() for record in found), all_values(), "values")
        with steps.step("commit"):
            await reader.commit()
            committed = [await reader.committed(TopicPartition(topic, partition)) for partition in range(3)]
            equal(sum(offset or 0 for offset in committed), len(CODECS) * RECORDS, "committed offsets")
        with steps.step("seek by time"):
            await seek_by_time()
        await look(admin)
    steps.none("delete group", "not in its admin client")
    with steps.step("delete topic"):
        await admin.delete_topics([topic, timed])
        equal({topic, timed} & set(await admin.list_topics()), set(), "topics are listed")
    await admin.close()


asyncio.run(main())
