import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The stock producer, consumer and admin client, with short intervals and bounded calls. */
final class Stock implements AutoCloseable {
    private static final long CALL_LIMIT_MS = 20_000;
    // Short enough that a rebalance takes about a second, above the 6 s that brokers demand at least.
    private static final int HEARTBEAT_MS = 500;
    private static final int SESSION_MS = 10_000;

    final Admin admin;
    final String bootstrap;

    Stock(String bootstrap) {
        this.bootstrap = bootstrap;
        this.admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
    }

    /** Waits for an answer of the admin client; throws what the broker said. */
    static <T> T get(KafkaFuture<T> future) throws Exception {
        return bounded(future);
    }

    private static <T> T bounded(Future<T> future) throws Exception {
        try {
            return future.get(CALL_LIMIT_MS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException error) {
            throw error.getCause() instanceof Exception cause ? cause : error;
        } catch (TimeoutException late) {
            throw new AssertionError("no answer in " + CALL_LIMIT_MS + " ms");
        }
    }

    String createTopic(String name, int partitions) throws Exception {
        get(admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1))).all());
        return name;
    }

    /** Returns when every record is acknowledged (or sent, with acks=0). */
    void produce(List<ProducerRecord<String, String>> records, Map<String, String> settings)
            throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("enable.idempotence", "false");
        properties.put("linger.ms", "5");
        properties.putAll(settings);
        StringSerializer serializer = new StringSerializer();
        try (var producer = new KafkaProducer<>(properties, serializer, serializer)) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            records.forEach(record -> sent.add(producer.send(record)));
            for (Future<RecordMetadata> one : sent) {
                bounded(one);
            }
        }
    }

    KafkaConsumer<String, String> consumer(String group, boolean autoCommit) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", Boolean.toString(autoCommit));
        properties.put("heartbeat.interval.ms", HEARTBEAT_MS);
        properties.put("session.timeout.ms", SESSION_MS);
        if (group != null) {
            properties.put("group.id", group);
        }
        StringDeserializer deserializer = new StringDeserializer();
        return new KafkaConsumer<>(properties, deserializer, deserializer);
    }

    /** Committed records of partition 0 from the first on, or fewer when time runs out. */
    List<ConsumerRecord<String, String>> readCommitted(String topic, int count) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("isolation.level", "read_committed");
        StringDeserializer deserializer = new StringDeserializer();
        try (var consumer = new KafkaConsumer<>(properties, deserializer, deserializer)) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seek(partition, 0);
            return poll(consumer, count);
        }
    }

    /** {@code count} records of partition 0 from an offset, or fewer when time runs out. */
    List<ConsumerRecord<String, String>> read(String topic, int count, long offset) {
        TopicPartition partition = new TopicPartition(topic, 0);
        try (var consumer = consumer(null, false)) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, offset);
            return poll(consumer, count);
        }
    }

    /** Joins, reads, commits exactly {@code count} records, leaves. */
    List<ConsumerRecord<String, String>> readInGroup(String group, String topic, int count) {
        try (var consumer = consumer(group, false)) {
            consumer.subscribe(List.of(topic));
            var got = poll(consumer, count);
            got = got.subList(0, Math.min(count, got.size()));
            long next = got.isEmpty() ? 0 : got.get(got.size() - 1).offset() + 1;
            consumer.commitSync(Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(next)));
            return got;
        }
    }

    private static List<ConsumerRecord<String, String>> poll(
            KafkaConsumer<String, String> consumer, int count) {
        List<ConsumerRecord<String, String>> got = new ArrayList<>();
        long deadline = System.currentTimeMillis() + CALL_LIMIT_MS;
        while (got.size() < count && System.currentTimeMillis() < deadline) {
            consumer.poll(Duration.ofMillis(200)).forEach(got::add);
        }
        return got;
    }

    /** What the broker answers to ListOffsets for partition 0; -1 for "none". */
    long offset(String topic, OffsetSpec spec) throws Exception {
        TopicPartition partition = new TopicPartition(topic, 0);
        return get(admin.listOffsets(Map.of(partition, spec)).partitionResult(partition)).offset();
    }

    @Override
    public void close() {
        admin.close(Duration.ofMillis(CALL_LIMIT_MS));
    }
}
