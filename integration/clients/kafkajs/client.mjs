// kafkajs: negotiates versions once, and speaks only the non-flexible ones. gzip is its own; other codecs are plugged in.
import { createRequire } from "node:module";
import kafkajs from "kafkajs";
import SnappyCodec from "kafkajs-snappy";
import lz4 from "lz4-napi";
import zstd from "zstd-codec";

const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, logLevel } = kafkajs;
const RECORDS = 200;
const TIMED_RECORDS = 100;
const TIMED_STEP_MS = 1_000;
const PATIENCE_MS = 30_000;
const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"];

const [bootstrap, prefix] = process.argv.slice(2);
const [topic, timed, group] = ["topic", "timed", "group"].map((name) => `${prefix}-${name}`);
const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING });
const admin = kafka.admin();

async function step(name, body) {
  try {
    await within(body());
    console.log(`PASS ${name}`);
  } catch (error) {
    console.error(error);
    console.log(`FAIL ${name}: ${String(error).replace(/\s+/g, " ")}`);
  }
}

function within(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("took too long")), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function equal(found, expected, what) {
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    throw new Error(`${what}: ${JSON.stringify(found)?.slice(0, 200)} instead of ${JSON.stringify(expected).slice(0, 200)}`);
  }
}

async function plugCodecs() {
  CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec;
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: (encoder) => lz4.compressFrame(encoder.buffer),
    decompress: (bytes) => lz4.decompressFrame(bytes),
  });
  const { Simple } = await new Promise((resolve) => zstd.ZstdCodec.run(resolve));
  const simple = new Simple();
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async (encoder) => Buffer.from(simple.compress(encoder.buffer)),
    decompress: async (bytes) => Buffer.from(simple.decompress(bytes)),
  });
}

const values = (codec) => Array.from({ length: RECORDS }, (_, at) => `${codec} ${at}`);

async function produce(to, messages, codec) {
  const producer = kafka.producer();
  await producer.connect();
  const byName = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy };
  const compression = { ...byName, lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD }[codec];
  await producer.send({ topic: to, messages, compression, acks: -1 });
  await producer.disconnect();
}

// Starts a consumer, and resolves when it has read so many records.
async function read(consumer, count, run = {}) {
  const found = [];
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    const eachMessage = async ({ message }) => {
      found.push(message.value.toString());
      if (found.length === count) resolve();
    };
    consumer.run({ autoCommit: false, eachMessage, ...run }).catch(reject);
  });
  return found;
}

async function seekByTime() {
  const base = Date.now() - 3_600_000;
  const messages = Array.from({ length: TIMED_RECORDS }, (_, at) => ({
    value: String(at),
    timestamp: String(base + at * TIMED_STEP_MS),
  }));
  await produce(timed, messages, "none");
  const [found] = await admin.fetchTopicOffsetsByTimestamp(timed, base + 50 * TIMED_STEP_MS - 1);
  equal(found.offset, "50", "offset");
  const seeker = kafka.consumer({ groupId: `${group}-seek` });
  await seeker.connect();
  await seeker.subscribe({ topics: [timed], fromBeginning: true });
  const first = new Promise((resolve, reject) => {
    const eachMessage = async ({ message }) => resolve(message.value.toString());
    seeker.run({ autoCommit: false, eachMessage }).catch(reject);
  });
  seeker.seek({ topic: timed, partition: 0, offset: found.offset });
  equal(await first, "50", "value");
  await seeker.disconnect();
  await admin.deleteGroups([`${group}-seek`]);
}

async function look() {
  await step("list topics", async () => {
    const topics = await admin.listTopics();
    equal([topic, timed].every((name) => topics.includes(name)), true, "topics are listed");
  });
  await step("describe topic", async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    equal(topics[0].partitions.length, 3, "partitions");
  });
  await step("list groups", async () => {
    const { groups } = await admin.listGroups();
    equal(groups.some(({ groupId }) => groupId === group), true, "the group is listed");
  });
  await step("describe group", async () => {
    const { groups } = await admin.describeGroups([group]);
    equal([groups[0].state, groups[0].members.length], ["Stable", 1], "state and members");
  });
  await step("configs", async () => {
    const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
    const configEntries = [{ name: "retention.ms", value: "123456" }];
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] });
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
    const found = resources[0].configEntries.find(({ configName }) => configName === "retention.ms");
    equal(found?.configValue, "123456", "retention.ms");
  });
}

async function main() {
  const { version } = createRequire(import.meta.url)("kafkajs/package.json");
  console.log(`CLIENT kafkajs ${version}`);
  await plugCodecs();
  await admin.connect();
  await step("create", async () => {
    const topics = [{ topic, numPartitions: 3 }, { topic: timed, numPartitions: 1 }];
    equal(await admin.createTopics({ topics, waitForLeaders: true }), true, "created");
  });
  for (const codec of CODECS) {
    const messages = values(codec).map((value) => ({ key: value, value }));
    await step(`produce ${codec}`, () => produce(topic, messages, codec));
  }
  const reader = kafka.consumer({ groupId: group });
  await reader.connect();
  await step("consume in a group", async () => {
    await reader.subscribe({ topics: [topic], fromBeginning: true });
    const found = await read(reader, CODECS.length * RECORDS);
    equal(found.sort(), CODECS.flatMap(values).sort(), "values");
  });
  await step("commit", async () => {
    const ends = await admin.fetchTopicOffsets(topic);
    await reader.commitOffsets(ends.map(({ partition, offset }) => ({ topic, partition, offset })));
    const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    const sum = committed.partitions.reduce((sum, { offset }) => sum + Number(offset), 0);
    equal(sum, CODECS.length * RECORDS, "committed offsets");
  });
  await step("seek by time", seekByTime);
  await look();
  await reader.disconnect();
  await step("delete group", async () => {
    const [deleted] = await admin.deleteGroups([group]);
    equal(deleted.errorCode ?? 0, 0, "error");
  });
  await step("delete topic", async () => {
    await admin.deleteTopics({ topics: [topic, timed] });
    let left = [topic];
    while (left.length > 0) left = (await admin.listTopics()).filter((name) => [topic, timed].includes(name));
  });
  await admin.disconnect();
}

await main();
process.exit(0);
