import java.io.FileWriter;
import java.io.IOException;
import java.time.Duration;
import java.time.LocalTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Copies a topic exactly once with Apache Kafka's client. What a copier is: go/internal/copier. */
public final class TxnCopier {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration CLOSE = Duration.ofSeconds(1);
    private static final long PAUSE_MS = 200;

    private final Map<String, String> args;
    private final FileWriter journal;

    private TxnCopier(Map<String, String> args, FileWriter journal) {
        this.args = args;
        this.journal = journal;
    }

    public static void main(String[] words) throws Exception {
        Map<String, String> args = new HashMap<>();
        for (int at = 0; at + 1 < words.length; at += 2) {
            args.put(words[at], words[at + 1]);
        }
        try (FileWriter journal = new FileWriter(args.get("--journal"), true)) {
            TxnCopier copier = new TxnCopier(args, journal);
            while (true) {
                try {
                    copier.run();
                } catch (KafkaException failure) {
                    System.err.println(LocalTime.now() + " begin anew: " + failure);
                }
                Thread.sleep(PAUSE_MS);
            }
        }
    }

    /** One consumer and one producer; thrown away after any error. */
    private void run() throws IOException {
        KafkaConsumer<String, String> consumer = new KafkaConsumer<>(consumer());
        KafkaProducer<String, String> producer = new KafkaProducer<>(producer());
        try {
            producer.initTransactions();
            consumer.subscribe(List.of(args.get("--input")));
            while (true) {
                ConsumerRecords<String, String> records = consumer.poll(POLL);
                if (!records.isEmpty()) {
                    copy(consumer, producer, records);
                }
            }
        } finally {
            producer.close(Duration.ZERO);
            consumer.close(CLOSE);
        }
    }

    private void copy(
            KafkaConsumer<String, String> consumer,
            KafkaProducer<String, String> producer,
            ConsumerRecords<String, String> records)
            throws IOException {
        int percent = Integer.parseInt(args.getOrDefault("--abort-percent", "0"));
        String intent = ThreadLocalRandom.current().nextInt(100) < percent ? "abort" : "commit";
        producer.beginTransaction();
        for (ConsumerRecord<String, String> record : records) {
            producer.send(new ProducerRecord<>(args.get("--output"), record.key(), intent));
        }
        Map<TopicPartition, OffsetAndMetadata> read = new HashMap<>();
        for (TopicPartition partition : records.partitions()) {
            read.put(partition, new OffsetAndMetadata(consumer.position(partition)));
        }
        producer.sendOffsetsToTransaction(read, consumer.groupMetadata());
        if (intent.equals("abort")) {
            producer.abortTransaction();
            rewind(consumer);
        } else {
            producer.commitTransaction();
        }
        journal.write(intent + " " + records.count() + "\n");
        journal.flush();
    }

    /** Back to what is committed: the records of an aborted transaction are copied again. */
    private static void rewind(KafkaConsumer<String, String> consumer) {
        Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(consumer.assignment());
        committed.forEach(
                (partition, offset) -> consumer.seek(partition, offset == null ? 0 : offset.offset()));
    }

    private Properties consumer() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", args.get("--bootstrap"));
        properties.put("group.id", args.get("--name") + "-group");
        properties.put("group.instance.id", args.get("--name"));
        properties.put("session.timeout.ms", "6000");
        properties.put("heartbeat.interval.ms", "1000");
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", "false");
        properties.put("isolation.level", "read_committed");
        properties.put("max.poll.records", "200");
        properties.put("reconnect.backoff.max.ms", "200");
        properties.put("key.deserializer", StringDeserializer.class.getName());
        properties.put("value.deserializer", StringDeserializer.class.getName());
        return properties;
    }

    private Properties producer() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", args.get("--bootstrap"));
        properties.put("transactional.id", args.get("--name"));
        properties.put("transaction.timeout.ms", "10000");
        properties.put("reconnect.backoff.max.ms", "200");
        properties.put("key.serializer", StringSerializer.class.getName());
        properties.put("value.serializer", StringSerializer.class.getName());
        return properties;
    }
}
