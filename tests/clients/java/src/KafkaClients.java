import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.utils.AppInfoParser;

/** The acceptance cases with the Java client; names and order as in the other languages. */
public final class KafkaClients {
    private static final int RECORDS = 200;
    private static final int PARTITIONS = 4;
    private static final Map<String, String> PLAIN = Map.of("acks", "all");

    private final Stock stock;
    private final String suffix = "kafka-clients-" + UUID.randomUUID().toString().substring(0, 8);

    private KafkaClients(Stock stock) {
        this.stock = stock;
    }

    public static void main(String[] arguments) {
        if (arguments.length != 1) {
            System.err.println("usage: KafkaClients HOST:PORT");
            System.exit(2);
        }
        Report report = new Report("kafka-clients", AppInfoParser.getVersion());
        new KafkaClients(new Stock(arguments[0])).runAll(report);
        report.finish();
    }

    private void runAll(Report report) {
        report.run("create_topic", this::createTopic);
        report.run("list_topics", this::listTopics);
        report.run("describe_topic", this::describeTopic);
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            Map<String, String> settings = Map.of("acks", "all", "compression.type", codec);
            report.run("codec_" + codec, () -> roundTrip("codec-" + codec, settings));
        }
        for (String acks : List.of("0", "1", "all")) {
            report.run("acks_" + acks, () -> roundTrip("acks-" + acks, Map.of("acks", acks)));
        }
        report.run("idempotent", this::idempotent);
        report.run("headers", this::headers);
        report.run("null_key_value", this::nullKeyValue);
        report.run("group_rebalance", this::groupRebalance);
        report.run("commit_resume", this::commitResume);
        Transactions transactions = new Transactions(stock, suffix);
        report.run("transaction", transactions::commitAndAbort);
        report.run("transaction_offsets", transactions::offsets);
        report.run("seek_by_time", this::seekByTime);
        report.run("alter_configs", this::alterConfigs);
        report.run("create_partitions", this::createPartitions);
        report.run("delete_records", this::deleteRecords);
        report.run("list_groups", this::listGroups);
        report.run("describe_group", this::describeGroup);
        report.run("delete_group", this::deleteGroup);
        report.run("delete_topic", this::deleteTopic);
        new NewGroups(stock, suffix).run(report);
    }

    // Helpers.

    private String topic(String what, int partitions) throws Exception {
        return stock.createTopic(what + "-" + suffix, partitions);
    }

    /** Half of each value repeats (so that codecs have work), half does not. */
    private static List<ProducerRecord<String, String>> records(String topic, int count, int size) {
        Random random = new Random(topic.length());
        List<ProducerRecord<String, String>> made = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            byte[] noise = new byte[size / 2];
            random.nextBytes(noise);
            String value = ("record " + number + " ").repeat(size / 20)
                    + new String(noise, StandardCharsets.ISO_8859_1);
            made.add(new ProducerRecord<>(topic, 0, "key-" + number, value));
        }
        return made;
    }

    /** Everything came back: same keys and values, same order, offsets without a gap. */
    private static void checkSame(List<ConsumerRecord<String, String>> got,
            List<ProducerRecord<String, String>> sent, long firstOffset) {
        Report.checkEqual(got.size(), sent.size(), "records read");
        for (int i = 0; i < got.size(); i++) {
            Report.checkEqual(got.get(i).offset(), firstOffset + i, "offset");
            Report.check(String.valueOf(sent.get(i).value()).equals(String.valueOf(got.get(i).value())),
                    "value at offset " + got.get(i).offset());
            Report.check(String.valueOf(sent.get(i).key()).equals(String.valueOf(got.get(i).key())),
                    "key at offset " + got.get(i).offset());
        }
    }

    // Topics and records.

    private void createTopic() throws Exception {
        String name = topic("created", PARTITIONS);
        var sent = List.of(new ProducerRecord<String, String>(name, 0, null, "first"));
        stock.produce(sent, PLAIN);
        checkSame(stock.read(name, 1, 0), sent, 0);
    }

    private Set<String> topics() throws Exception {
        return Stock.get(stock.admin.listTopics().names());
    }

    private void listTopics() throws Exception {
        Report.waitUntil("the topic in the list", () -> topics().contains("created-" + suffix));
    }

    private int partitionCount(String topic) throws Exception {
        return Stock.get(stock.admin.describeTopics(List.of(topic)).topicNameValues().get(topic))
                .partitions().size();
    }

    private void describeTopic() throws Exception {
        String name = topic("described", 3);
        Report.waitUntil("3 partitions", () -> partitionCount(name) == 3);
    }

    private void roundTrip(String what, Map<String, String> settings) throws Exception {
        String name = topic(what, 1);
        var sent = records(name, RECORDS, 1000);
        stock.produce(sent, settings);
        checkSame(stock.read(name, RECORDS, 0), sent, 0);
    }

    private void idempotent() throws Exception {
        String name = topic("idempotent", 1);
        var sent = records(name, 1000, 100);
        Map<String, String> settings = Map.of("acks", "all", "enable.idempotence", "true");
        stock.produce(sent.subList(0, 500), settings);
        stock.produce(sent.subList(500, 1000), settings);
        checkSame(stock.read(name, 1000, 0), sent, 0);
    }

    private void headers() throws Exception {
        String name = topic("headers", 1);
        var record = new ProducerRecord<>(name, 0, "k", "with headers");
        record.headers().add("trace", "abc".getBytes()).add("twice", "1".getBytes())
                .add("twice", "2".getBytes()).add("empty", new byte[0]).add("null", null);
        stock.produce(List.of(record), PLAIN);
        List<String> found = new ArrayList<>();
        for (Header header : stock.read(name, 1, 0).get(0).headers()) {
            found.add(header.key() + "=" + (header.value() == null ? null : new String(header.value())));
        }
        Report.checkEqual(found, List.of("trace=abc", "twice=1", "twice=2", "empty=", "null=null"), "headers");
    }

    private void nullKeyValue() throws Exception {
        String name = topic("nulls", 1);
        var sent = List.of(new ProducerRecord<String, String>(name, 0, null, "no key"),
                new ProducerRecord<String, String>(name, 0, "tombstone", null),
                new ProducerRecord<>(name, 0, "k", "both"));
        stock.produce(sent, PLAIN);
        var got = stock.read(name, 3, 0);
        checkSame(got, sent, 0);
        Report.check(got.get(0).key() == null && got.get(1).value() == null, "nulls stay null");
    }

    // Groups.

    private void feed(String topic, String phase, Set<String> sent) throws Exception {
        List<ProducerRecord<String, String>> records = new ArrayList<>();
        for (int number = 0; number < RECORDS; number++) {
            records.add(new ProducerRecord<>(topic, number % PARTITIONS, null, phase + "-" + number));
        }
        stock.produce(records, PLAIN);
        records.forEach(record -> sent.add(record.value()));
    }

    private static boolean share(Set<Integer> one, Set<Integer> two) {
        return !one.isEmpty() && !two.isEmpty() && one.size() + two.size() == PARTITIONS
                && Collections.disjoint(one, two);
    }

    /** A second member joins and leaves in the middle of a load; nothing is missed. */
    private void groupRebalance() throws Exception {
        String name = topic("rebalance", PARTITIONS);
        String group = "rebalance-" + suffix;
        Set<String> sent = new HashSet<>();
        Set<String> seen = new HashSet<>();
        try (Member first = new Member(stock.consumer(group, true), name)) {
            Report.waitUntil("one member with every partition", () -> first.assignment.size() == PARTITIONS);
            feed(name, "alone", sent);
            try (Member second = new Member(stock.consumer(group, true), name)) {
                feed(name, "joining", sent);
                Report.waitUntil("two members that share the partitions",
                        () -> share(first.assignment, second.assignment));
                feed(name, "both", sent);
                Report.waitUntil("records at the second member", () -> !second.values.isEmpty());
                second.close();
                seen.addAll(second.values);
            }
            feed(name, "left", sent);
            Report.waitUntil("every partition back", () -> first.assignment.size() == PARTITIONS);
            Report.waitUntil("every record seen", () -> {
                seen.addAll(first.values);
                return seen.containsAll(sent);
            });
        }
    }

    private void commitResume() throws Exception {
        String name = topic("resume", 1);
        var sent = records(name, 100, 100);
        stock.produce(sent, PLAIN);
        String group = "resume-" + suffix;
        checkSame(stock.readInGroup(group, name, 40), sent.subList(0, 40), 0);
        checkSame(stock.readInGroup(group, name, 60), sent.subList(40, 100), 40);
    }

    private void seekByTime() throws Exception {
        String name = topic("times", 1);
        long start = System.currentTimeMillis() - 100_000;
        List<ProducerRecord<String, String>> sent = new ArrayList<>();
        for (int number = 0; number < 60; number++) {
            sent.add(new ProducerRecord<>(name, 0, start + number * 1000L, null, "" + number));
        }
        stock.produce(sent, PLAIN);
        TopicPartition partition = new TopicPartition(name, 0);
        try (var consumer = stock.consumer(null, false)) {
            var found = consumer.offsetsForTimes(Map.of(partition, start + 29_500)).get(partition);
            Report.checkEqual(found.offset(), 30L, "offset for the time");
            Report.checkEqual(found.timestamp(), start + 30_000, "time of that record");
            var late = consumer.offsetsForTimes(Map.of(partition, start + 60_000)).get(partition);
            Report.check(late == null, "no offset after the last record");
        }
        Report.checkEqual(stock.offset(name, OffsetSpec.maxTimestamp()), 59L, "offset of the latest time");
        checkSame(stock.read(name, 30, 30), sent.subList(30, 60), 30);
    }

    // Admin calls.

    private void alterConfigs() throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic("configs", 1));
        var change = new AlterConfigOp(new ConfigEntry("retention.ms", "7654321"), AlterConfigOp.OpType.SET);
        Stock.get(stock.admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all());
        Report.waitUntil("the new retention.ms", () -> {
            var described = Stock.get(stock.admin.describeConfigs(List.of(resource)).all()).get(resource);
            return described.get("retention.ms").value().equals("7654321");
        });
    }

    private void createPartitions() throws Exception {
        String name = topic("grown", 1);
        Stock.get(stock.admin.createPartitions(Map.of(name, NewPartitions.increaseTo(3))).all());
        Report.waitUntil("3 partitions", () -> partitionCount(name) == 3);
    }

    private void deleteRecords() throws Exception {
        String name = topic("trimmed", 1);
        var sent = records(name, 20, 100);
        stock.produce(sent, PLAIN);
        var before = Map.of(new TopicPartition(name, 0), RecordsToDelete.beforeOffset(15));
        Stock.get(stock.admin.deleteRecords(before).all());
        checkSame(stock.read(name, 5, 15), sent.subList(15, 20), 15);
        Report.checkEqual(stock.offset(name, OffsetSpec.earliest()), 15L, "first offset");
    }

    private String groupWithCommit(String what) throws Exception {
        String name = topic(what, 1);
        stock.produce(records(name, 5, 100), PLAIN);
        stock.readInGroup(what + "-" + suffix, name, 5);
        return what + "-" + suffix;
    }

    private boolean isListed(String group) throws Exception {
        return Stock.get(stock.admin.listGroups().all()).stream().map(GroupListing::groupId)
                .anyMatch(group::equals);
    }

    private void listGroups() throws Exception {
        String group = groupWithCommit("listed");
        Report.waitUntil("the group in the list", () -> isListed(group));
    }

    private void describeGroup() throws Exception {
        String name = topic("described-group", PARTITIONS);
        String group = "described-" + suffix;
        try (Member member = new Member(stock.consumer(group, true), name)) {
            Report.waitUntil("an assignment", () -> member.assignment.size() == PARTITIONS);
            var found = Stock.get(stock.admin.describeConsumerGroups(List.of(group)).describedGroups().get(group));
            Report.checkEqual(found.groupState(), GroupState.STABLE, "state");
            Report.checkEqual(found.members().size(), 1, "members");
        }
    }

    private void deleteGroup() throws Exception {
        String group = groupWithCommit("deleted");
        Report.waitUntil("the group in the list", () -> isListed(group));
        Stock.get(stock.admin.deleteConsumerGroups(List.of(group)).all());
        Report.waitUntil("the group gone", () -> !isListed(group));
    }

    private void deleteTopic() throws Exception {
        String name = topic("doomed", 1);
        Report.waitUntil("the topic in the list", () -> topics().contains(name));
        Stock.get(stock.admin.deleteTopics(List.of(name)).all());
        Report.waitUntil("the topic gone", () -> !topics().contains(name));
    }
}
