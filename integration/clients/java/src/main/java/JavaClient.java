import static java.util.concurrent.TimeUnit.SECONDS;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/** The Java client: what most of the world runs. */
public final class JavaClient {
    private static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");
    private static final int RECORDS = 200;
    private static final int TIMED_RECORDS = 100;
    private static final long TIMED_STEP_MS = 1_000;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final String bootstrap;
    private final String topic;
    private final String timed;
    private final String group;
    private final Admin admin;
    private KafkaConsumer<String, String> reader;

    private JavaClient(String bootstrap, String prefix) {
        this.bootstrap = bootstrap;
        topic = prefix + "-topic";
        timed = prefix + "-timed";
        group = prefix + "-group";
        admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
    }

    public static void main(String[] arguments) {
        System.out.println("CLIENT kafka-clients " + AppInfoParser.getVersion());
        new JavaClient(arguments[0], arguments[1]).run();
        System.exit(0);
    }

    private interface Body {
        void run() throws Exception;
    }

    private static void step(String name, Body body) {
        try {
            body.run();
            System.out.println("PASS " + name);
        } catch (Exception | AssertionError error) {
            error.printStackTrace();
            System.out.println("FAIL " + name + ": " + error.toString().replace('\n', ' '));
        }
    }

    private void run() {
        step("create", () -> await(admin.createTopics(
            List.of(new NewTopic(topic, 3, (short) 1), new NewTopic(timed, 1, (short) 1))).all()));
        for (String codec : CODECS) {
            step("produce " + codec, () -> produceCodec(codec));
        }
        reader = consumer(true);
        step("consume in a group", this::consume);
        step("commit", this::commit);
        step("seek by time", this::seekByTime);
        look();
        reader.close();
        step("delete group", () -> await(admin.deleteConsumerGroups(List.of(group)).all()));
        step("delete topic", () -> {
            await(admin.deleteTopics(List.of(topic, timed)).all());
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (names().contains(topic) || names().contains(timed)) {
                equal(System.nanoTime() < deadline, true, "topics go in time");
            }
        });
    }

    private void produceCodec(String codec) throws Exception {
        List<ProducerRecord<String, String>> records = new ArrayList<>();
        for (int at = 0; at < RECORDS; at++) {
            records.add(new ProducerRecord<>(topic, codec + " " + at, codec + " " + at));
        }
        produce(records, codec);
    }

    /** Idempotent with acks=all: the client's defaults. */
    private void produce(List<ProducerRecord<String, String>> records, String codec) throws Exception {
        Map<String, Object> settings =
            Map.of("bootstrap.servers", bootstrap, "compression.type", codec, "linger.ms", 20);
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            List<Future<?>> sent = new ArrayList<>();
            for (var record : records) {
                sent.add(producer.send(record));
            }
            for (Future<?> answer : sent) {
                answer.get(PATIENCE.toSeconds(), SECONDS);
            }
        }
    }

    private KafkaConsumer<String, String> consumer(boolean inGroup) {
        Map<String, Object> settings = new java.util.HashMap<>(
            Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", false, "auto.offset.reset", "earliest"));
        if (inGroup) {
            settings.put("group.id", group);
        }
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    private static List<String> read(KafkaConsumer<String, String> from, int count) {
        List<String> found = new ArrayList<>();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (found.size() < count && System.nanoTime() < deadline) {
            for (ConsumerRecord<String, String> record : from.poll(Duration.ofMillis(500))) {
                found.add(record.value());
            }
        }
        return found;
    }

    private void consume() {
        reader.subscribe(List.of(topic));
        List<String> found = read(reader, CODECS.size() * RECORDS);
        List<String> expected = new ArrayList<>();
        for (String codec : CODECS) {
            for (int at = 0; at < RECORDS; at++) {
                expected.add(codec + " " + at);
            }
        }
        found.sort(null);
        expected.sort(null);
        equal(found, expected, "values");
    }

    private void commit() {
        reader.commitSync(PATIENCE);
        Set<TopicPartition> partitions =
            Set.of(new TopicPartition(topic, 0), new TopicPartition(topic, 1), new TopicPartition(topic, 2));
        long committed = 0;
        for (var offset : reader.committed(partitions, PATIENCE).values()) {
            committed += offset == null ? 0 : offset.offset();
        }
        equal(committed, (long) CODECS.size() * RECORDS, "committed offsets");
    }

    private void seekByTime() throws Exception {
        long base = System.currentTimeMillis() - 3_600_000;
        List<ProducerRecord<String, String>> records = new ArrayList<>();
        for (int at = 0; at < TIMED_RECORDS; at++) {
            records.add(new ProducerRecord<>(timed, 0, base + at * TIMED_STEP_MS, null, Integer.toString(at)));
        }
        produce(records, "none");
        TopicPartition partition = new TopicPartition(timed, 0);
        try (var seeker = consumer(false)) {
            var found = seeker.offsetsForTimes(Map.of(partition, base + 50 * TIMED_STEP_MS - 1), PATIENCE);
            equal(found.get(partition).offset(), 50L, "offset");
            seeker.assign(List.of(partition));
            seeker.seek(partition, found.get(partition).offset());
            equal(read(seeker, 1).get(0), "50", "value");
        }
    }

    private void look() {
        step("list topics", () -> equal(names().containsAll(Set.of(topic, timed)), true, "topics are listed"));
        step("describe topic", () -> {
            var described = await(admin.describeTopics(List.of(topic)).allTopicNames()).get(topic);
            equal(described.partitions().size(), 3, "partitions");
        });
        step("list groups", () -> {
            var listed = await(admin.listGroups().all());
            equal(listed.stream().anyMatch(found -> found.groupId().equals(group)), true, "the group is listed");
        });
        step("describe group", () -> {
            var described = await(admin.describeConsumerGroups(List.of(group)).all()).get(group);
            equal(described.groupState() + " " + described.members().size(), "Stable 1", "state and members");
        });
        step("configs", () -> {
            var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            var set = new AlterConfigOp(new ConfigEntry("retention.ms", "123456"), AlterConfigOp.OpType.SET);
            await(admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all());
            var described = await(admin.describeConfigs(List.of(resource)).all()).get(resource);
            equal(described.get("retention.ms").value(), "123456", "retention.ms");
        });
    }

    private Set<String> names() throws Exception {
        return await(admin.listTopics().names());
    }

    private static <T> T await(Future<T> answer) throws Exception {
        return answer.get(PATIENCE.toSeconds(), SECONDS);
    }

    private static void equal(Object found, Object expected, String what) {
        if (!found.equals(expected)) {
            String text = found.toString();
            throw new AssertionError(
                what + ": " + text.substring(0, Math.min(200, text.length())) + " instead of what was expected");
        }
    }
}
