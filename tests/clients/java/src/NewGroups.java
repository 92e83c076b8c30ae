import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Groups of the new protocol (KIP-848): the broker assigns. */
final class NewGroups {
    private static final int PARTITIONS = 6;

    private final Stock stock;
    private final String suffix;

    NewGroups(Stock stock, String suffix) {
        this.stock = stock;
        this.suffix = suffix;
    }

    void run(Report report) {
        report.run("consumer_group", this::rebalance);
        report.run("consumer_group_static", this::staticMember);
        report.run("consumer_group_pattern", this::pattern);
        report.run("consumer_group_upgrade", this::upgrade);
    }

    private String topic(String what, int partitions) throws Exception {
        return stock.createTopic("new-" + what + "-" + suffix, partitions);
    }

    private KafkaConsumer<String, String> consumer(String group, String instance) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", stock.bootstrap);
        properties.put("group.protocol", "consumer");
        properties.put("group.id", group);
        properties.put("auto.offset.reset", "earliest");
        if (instance != null) {
            properties.put("group.instance.id", instance);
        }
        StringDeserializer deserializer = new StringDeserializer();
        return new KafkaConsumer<>(properties, deserializer, deserializer);
    }

    private void feed(String topic, String phase, Set<String> sent) throws Exception {
        List<ProducerRecord<String, String>> records = new ArrayList<>();
        for (int number = 0; number < 300; number++) {
            records.add(new ProducerRecord<>(topic, number % PARTITIONS, null, phase + "-" + number));
        }
        stock.produce(records, Map.of());
        records.forEach(record -> sent.add(record.value()));
    }

    private static boolean share(Collection<Integer> one, Collection<Integer> other) {
        Set<Integer> all = new HashSet<>(one);
        all.addAll(other);
        return !one.isEmpty() && !other.isEmpty() && one.size() + other.size() == PARTITIONS
                && all.size() == PARTITIONS;
    }

    private ConsumerGroupDescription describe(String group) throws Exception {
        return Stock.get(stock.admin.describeConsumerGroups(List.of(group)).all()).get(group);
    }

    /** A second member comes and goes under load; nothing is missed, and the tools see what happens. */
    private void rebalance() throws Exception {
        String name = topic("rebalance", PARTITIONS);
        String group = name;
        Set<String> sent = new HashSet<>();
        Set<String> seen = new HashSet<>();
        try (Member first = new Member(consumer(group, null), name)) {
            Report.waitUntil("every partition", () -> first.assignment.size() == PARTITIONS);
            feed(name, "alone", sent);
            Member second = new Member(consumer(group, null), name);
            feed(name, "joining", sent);
            Report.waitUntil("two that share", () -> share(first.assignment, second.assignment));
            Report.waitUntil("a stable group", () -> describe(group).groupState() == GroupState.STABLE);
            Report.checkEqual(describe(group).type(), GroupType.CONSUMER, "type");
            Report.checkEqual(describe(group).members().size(), 2, "members");
            var listed = Stock.get(stock.admin.listGroups(
                    new ListGroupsOptions().withTypes(Set.of(GroupType.CONSUMER))).all());
            Report.check(listed.stream().anyMatch(one -> one.groupId().equals(group)), "listed by its type");
            var resource = new ConfigResource(ConfigResource.Type.GROUP, group);
            var longer = new AlterConfigOp(
                    new ConfigEntry("consumer.session.timeout.ms", "50000"), AlterConfigOp.OpType.SET);
            Stock.get(stock.admin.incrementalAlterConfigs(Map.of(resource, List.of(longer))).all());
            var config = Stock.get(stock.admin.describeConfigs(List.of(resource)).all()).get(resource);
            Report.checkEqual(config.get("consumer.session.timeout.ms").value(), "50000", "setting of the group");
            feed(name, "both", sent);
            second.close();
            seen.addAll(second.values);
            feed(name, "left", sent);
            Report.waitUntil("every record", () -> {
                seen.addAll(first.values);
                return seen.containsAll(sent) && first.assignment.size() == PARTITIONS;
            });
        }
        Report.checkEqual(describe(group).groupState(), GroupState.EMPTY, "state without members");
        Stock.get(stock.admin.deleteConsumerGroups(List.of(group)).all());
    }

    /** A static member that is away for a moment finds what it had, and the other is not disturbed. */
    private void staticMember() throws Exception {
        String name = topic("static", PARTITIONS);
        try (Member other = new Member(consumer(name, null), name)) {
            Set<Integer> had;
            try (Member one = new Member(consumer(name, "one"), name)) {
                Report.waitUntil("two that share", () -> share(one.assignment, other.assignment));
                had = Set.copyOf(one.assignment);
            }
            Set<Integer> others = Set.copyOf(other.assignment);
            try (Member again = new Member(consumer(name, "one"), name)) {
                Report.waitUntil("what it had", () -> again.assignment.equals(had));
                Report.checkEqual(Set.copyOf(other.assignment), others, "the other's partitions");
            }
        }
    }

    /** A pattern in RE2's language, matched by the broker; a topic that comes later is found. */
    private void pattern() throws Exception {
        String first = topic("pattern-a", 2);
        String prefix = "new-pattern-";
        try (var consumer = consumer("pattern-" + suffix, null)) {
            consumer.subscribe(new SubscriptionPattern("new-pattern-[ab]-" + suffix));
            Report.waitUntil("the topic that is there", () -> {
                consumer.poll(java.time.Duration.ofMillis(100));
                return consumer.assignment().size() == 2;
            });
            topic("pattern-b", 3);
            topic("pattern-c", 3);
            Report.waitUntil("the topic that came", () -> {
                consumer.poll(java.time.Duration.ofMillis(100));
                return consumer.assignment().size() == 5;
            });
            Report.check(first.startsWith(prefix), "names");
        }
    }

    /** A classic member and one of the new protocol in one group; then the new one leaves again. */
    private void upgrade() throws Exception {
        String name = topic("upgrade", PARTITIONS);
        Set<String> sent = new HashSet<>();
        Set<String> seen = new HashSet<>();
        try (Member classic = new Member(stock.consumer(name, true), name)) {
            Report.waitUntil("every partition", () -> classic.assignment.size() == PARTITIONS);
            feed(name, "classic", sent);
            Member added = new Member(consumer(name, null), name);
            Report.waitUntil("both kinds share", () -> share(classic.assignment, added.assignment));
            Report.checkEqual(describe(name).type(), GroupType.CONSUMER, "type with both kinds");
            feed(name, "both", sent);
            Report.waitUntil("records at the new one", () -> !added.values.isEmpty());
            added.close();
            seen.addAll(added.values);
            feed(name, "back", sent);
            Report.waitUntil("every partition again", () -> classic.assignment.size() == PARTITIONS);
            Report.checkEqual(describe(name).type(), GroupType.CLASSIC, "type without the new one");
            Report.waitUntil("every record", () -> {
                seen.addAll(classic.values);
                return seen.containsAll(sent);
            });
        }
    }
}
