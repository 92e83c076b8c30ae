import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/** Share groups (KIP-932) with the Java client's share consumer. */
public final class ShareClients {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final int RECORDS = 300;

    private final String bootstrap;
    private final Admin admin;
    private final String suffix = "share-" + UUID.randomUUID().toString().substring(0, 8);

    private ShareClients(String bootstrap) {
        this.bootstrap = bootstrap;
        this.admin = Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap));
    }

    public static void main(String[] arguments) {
        if (arguments.length != 1) {
            System.err.println("usage: ShareClients HOST:PORT");
            System.exit(2);
        }
        Report report = new Report("kafka-share-consumer", AppInfoParser.getVersion());
        ShareClients clients = new ShareClients(arguments[0]);
        report.run("share_implicit", clients::implicit);
        report.run("share_explicit", clients::explicit);
        report.run("share_members", clients::members);
        report.run("share_delivery_limit", clients::deliveryLimit);
        report.run("share_renew", clients::renew);
        report.run("share_dead_letters", clients::deadLetters);
        report.run("share_describe", clients::describe);
        report.run("share_offsets", clients::offsets);
        report.finish();
    }

    // Helpers.

    private String topic(String what, int partitions) throws Exception {
        String name = what + "-" + suffix;
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1))).all().get();
        return name;
    }

    /** A group that begins at the oldest record, with settings of its own. */
    private String group(String what, Map<String, String> settings) throws Exception {
        String name = what + "-" + suffix;
        List<AlterConfigOp> changes = new ArrayList<>();
        Map<String, String> all = new HashMap<>(settings);
        all.putIfAbsent("share.auto.offset.reset", "earliest");
        all.forEach((key, value) -> changes.add(
                new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET)));
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.GROUP, name), changes))
                .all().get();
        return name;
    }

    private void produce(String topic, int partitions, int count) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            for (int number = 0; number < count; number++) {
                producer.send(new ProducerRecord<>(topic, number % partitions, "k" + number, "v" + number));
            }
            producer.flush();
        }
    }

    private KafkaShareConsumer<String, String> consumer(String group, String topic, String mode) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("group.id", group);
        settings.put("share.acknowledgement.mode", mode);
        var consumer = new KafkaShareConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
        consumer.subscribe(List.of(topic));
        return consumer;
    }

    /** Polls until so many records have come. */
    private static List<ConsumerRecord<String, String>> take(
            KafkaShareConsumer<String, String> consumer, int count) throws Exception {
        List<ConsumerRecord<String, String>> taken = new ArrayList<>();
        Report.waitUntil(count + " records", () -> {
            for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
                taken.add(record);
            }
            return taken.size() >= count;
        });
        return taken;
    }

    private static void checkNothing(KafkaShareConsumer<String, String> consumer, String when) {
        for (int i = 0; i < 5; i++) {
            ConsumerRecords<String, String> records = consumer.poll(POLL);
            Report.check(records.isEmpty(), "records come again " + when + ": " + records.count());
        }
    }

    // Cases.

    private void implicit() throws Exception {
        String topic = topic("implicit", 2);
        String group = group("implicit", Map.of());
        produce(topic, 2, RECORDS);
        Set<String> values = new HashSet<>();
        try (var consumer = consumer(group, topic, "implicit")) {
            take(consumer, RECORDS).forEach(record -> values.add(record.value()));
            consumer.commitSync();
        }
        Report.checkEqual(values.size(), RECORDS, "different records");
        try (var consumer = consumer(group, topic, "implicit")) {
            checkNothing(consumer, "after they were accepted");
        }
    }

    private void explicit() throws Exception {
        String topic = topic("explicit", 1);
        String group = group("explicit", Map.of());
        produce(topic, 1, 30);
        Set<Long> released = new HashSet<>();
        try (var consumer = consumer(group, topic, "explicit")) {
            for (ConsumerRecord<String, String> record : takeOnce(consumer, 30)) {
                AcknowledgeType type = switch ((int) (record.offset() % 3)) {
                    case 0 -> AcknowledgeType.ACCEPT;
                    case 1 -> AcknowledgeType.RELEASE;
                    default -> AcknowledgeType.REJECT;
                };
                if (type == AcknowledgeType.RELEASE) {
                    released.add(record.offset());
                }
                consumer.acknowledge(record, type);
            }
            consumer.commitSync();
            Set<Long> again = new HashSet<>();
            for (ConsumerRecord<String, String> record : takeOnce(consumer, 10)) {
                Report.checkEqual(record.deliveryCount().orElse((short) 0), (short) 2, "delivery count");
                again.add(record.offset());
                consumer.acknowledge(record, AcknowledgeType.ACCEPT);
            }
            consumer.commitSync();
            Report.checkEqual(again, released, "what was released");
            checkNothing(consumer, "after all were acknowledged");
        }
    }

    /** Takes records of one or more polls; with explicit acknowledgement a poll must be answered before the next. */
    private static List<ConsumerRecord<String, String>> takeOnce(
            KafkaShareConsumer<String, String> consumer, int count) throws Exception {
        List<ConsumerRecord<String, String>> taken = new ArrayList<>();
        Report.waitUntil(count + " records in one poll", () -> {
            for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
                taken.add(record);
            }
            return !taken.isEmpty();
        });
        Report.checkEqual(taken.size(), count, "records of a poll");
        return taken;
    }

    private void members() throws Exception {
        String topic = topic("members", 1);
        String group = group("members", Map.of());
        Map<String, Integer> seen = new HashMap<>();
        AtomicBoolean over = new AtomicBoolean();
        int[] counts = new int[3];
        List<Thread> threads = new ArrayList<>();
        for (int number = 0; number < 3; number++) {
            int index = number;
            Thread thread = new Thread(() -> {
                try (var consumer = consumer(group, topic, "implicit")) {
                    while (!over.get()) {
                        for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
                            synchronized (seen) {
                                seen.merge(record.value(), 1, Integer::sum);
                                counts[index]++;
                            }
                        }
                    }
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (int round = 1; round <= 10; round++) {
            produce(topic, 1, RECORDS / 10);
            Thread.sleep(100);
        }
        Report.waitUntil("all records", () -> {
            synchronized (seen) {
                return seen.values().stream().mapToInt(Integer::intValue).sum() >= RECORDS;
            }
        });
        over.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
        Report.checkEqual(seen.values().stream().mapToInt(Integer::intValue).sum(), RECORDS, "deliveries");
    }

    private void deliveryLimit() throws Exception {
        String topic = topic("limit", 1);
        String group = group("limit", Map.of("share.delivery.count.limit", "3"));
        produce(topic, 1, 5);
        Map<Long, Integer> deliveries = new HashMap<>();
        try (var consumer = consumer(group, topic, "explicit")) {
            // Kafka hands records out one by one when their last delivery comes near.
            Report.waitUntil("three deliveries of each", () -> {
                for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
                    int delivery = deliveries.merge(record.offset(), 1, Integer::sum);
                    Report.checkEqual((int) record.deliveryCount().orElse((short) 0), delivery, "delivery count");
                    consumer.acknowledge(record, AcknowledgeType.RELEASE);
                }
                consumer.commitSync();
                return deliveries.values().stream().mapToInt(Integer::intValue).sum() >= 15;
            });
            checkNothing(consumer, "after the last delivery");
        }
    }

    private void renew() throws Exception {
        String topic = topic("renew", 1);
        String group = group("renew", Map.of("share.record.lock.duration.ms", "15000"));
        produce(topic, 1, 2);
        try (var consumer = consumer(group, topic, "explicit"); var other = consumer(group, topic, "explicit")) {
            List<ConsumerRecord<String, String>> records = takeOnce(consumer, 2);
            for (int i = 0; i < 2; i++) {
                Thread.sleep(9_000);
                consumer.acknowledge(records.get(0), AcknowledgeType.RENEW);
                consumer.acknowledge(records.get(1), AcknowledgeType.RENEW);
                consumer.commitSync();
                consumer.poll(Duration.ofMillis(1));
            }
            checkNothing(other, "while their locks are renewed");
            records.forEach(record -> consumer.acknowledge(record, AcknowledgeType.ACCEPT));
            consumer.commitSync().values().forEach(error ->
                    Report.check(error.isEmpty(), "acknowledged after renewal: " + error));
        }
    }

    private void deadLetters() throws Exception {
        String topic = topic("source", 2);
        String dead = "dlq." + topic("dead", 1);
        NewTopic target = new NewTopic(dead, 1, (short) 1)
                .configs(Map.of("errors.deadletterqueue.group.enable", "true"));
        admin.createTopics(List.of(target)).all().get();
        String group = group("dead", Map.of(
                "errors.deadletterqueue.topic.name", dead,
                "errors.deadletterqueue.copy.record.enable", "true"));
        produce(topic, 2, 10);
        try (var consumer = consumer(group, topic, "explicit")) {
            int rejected = 0;
            while (rejected < 10) {
                for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
                    consumer.acknowledge(record, AcknowledgeType.REJECT);
                    rejected++;
                }
                consumer.commitSync();
            }
        }
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        Map<String, ConsumerRecord<String, String>> letters = new HashMap<>();
        try (var reader = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            TopicPartition place = new TopicPartition(dead, 0);
            reader.assign(List.of(place));
            reader.seekToBeginning(List.of(place));
            Report.waitUntil("ten dead letters", () -> {
                reader.poll(POLL).forEach(record -> letters.put(record.value(), record));
                return letters.size() >= 10;
            });
        }
        ConsumerRecord<String, String> letter = letters.get("v3");
        Report.checkEqual(letter.key(), "k3", "key");
        Report.checkEqual(header(letter, "__dlq.errors.topic"), topic, "topic");
        Report.checkEqual(header(letter, "__dlq.errors.partition"), "1", "partition");
        Report.checkEqual(header(letter, "__dlq.errors.offset"), "1", "offset");
        Report.checkEqual(header(letter, "__dlq.errors.group"), group, "group");
        Report.checkEqual(header(letter, "__dlq.errors.delivery.count"), "1", "delivery count");
    }

    private static String header(ConsumerRecord<String, String> record, String name) {
        return new String(record.headers().lastHeader(name).value(), UTF_8);
    }

    private void describe() throws Exception {
        String topic = topic("described", 3);
        String group = group("described", Map.of());
        produce(topic, 3, 30);
        try (var consumer = consumer(group, topic, "implicit")) {
            take(consumer, 30);
            consumer.commitSync();
            var described = admin.describeShareGroups(List.of(group)).all().get().get(group);
            Report.checkEqual(described.groupState(), GroupState.STABLE, "state");
            Report.checkEqual(described.members().size(), 1, "members");
            var assigned = described.members().iterator().next().assignment().topicPartitions();
            Report.checkEqual(assigned.size(), 3, "partitions of the member");
            boolean listed = admin.listGroups().all().get().stream()
                    .anyMatch(listing -> listing.groupId().equals(group));
            Report.check(listed, "the group is listed");
        }
        Report.waitUntil("an empty group", () -> admin.describeShareGroups(List.of(group)).all().get()
                .get(group).groupState() == GroupState.EMPTY);
    }

    private void offsets() throws Exception {
        String topic = topic("offsets", 1);
        String group = group("offsets", Map.of());
        produce(topic, 1, 20);
        try (var consumer = consumer(group, topic, "implicit")) {
            take(consumer, 20);
            consumer.commitSync();
        }
        TopicPartition place = new TopicPartition(topic, 0);
        Report.waitUntil("an empty group", () -> admin.describeShareGroups(List.of(group)).all().get()
                .get(group).groupState() == GroupState.EMPTY);
        var spec = Map.of(group, new ListShareGroupOffsetsSpec());
        // Kafka's start follows with the next write of the group's state.
        Report.waitUntil("nothing left to do", () -> admin.listShareGroupOffsets(spec)
                .partitionsToOffsetInfo(group).get().get(place).lag().orElse(-1L) == 0L);
        admin.alterShareGroupOffsets(group, Map.of(place, 15L)).all().get();
        try (var consumer = consumer(group, topic, "implicit")) {
            List<ConsumerRecord<String, String>> again = take(consumer, 5);
            Report.checkEqual(again.get(0).offset(), 15L, "the first record again");
            consumer.commitSync();
        }
        Report.waitUntil("an empty group", () -> admin.describeShareGroups(List.of(group)).all().get()
                .get(group).groupState() == GroupState.EMPTY);
        admin.deleteShareGroupOffsets(group, Set.of(topic)).all().get();
        admin.deleteShareGroups(List.of(group)).all().get();
    }
}
