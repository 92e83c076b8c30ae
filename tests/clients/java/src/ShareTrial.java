import java.io.BufferedWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The consumers of the trial of share groups: one topic of one partition, offsets are the records' names. */
public final class ShareTrial {
    private static final Duration POLL = Duration.ofMillis(500);
    private static final long LIMIT_MS = 240_000;

    private final String bootstrap;
    private final String topic;

    private ShareTrial(String bootstrap, String topic) {
        this.bootstrap = bootstrap;
        this.topic = topic;
    }

    public static void main(String[] arguments) throws Exception {
        ShareTrial trial = new ShareTrial(arguments[1], arguments[2]);
        int count = Integer.parseInt(arguments[3]);
        switch (arguments[0]) {
            case "fill" -> trial.fill(count);
            case "holes" -> trial.holes(count);
            case "rest" -> trial.rest(count);
            case "work" -> trial.work(count, Path.of(arguments[4]));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    /** A topic with so many records, and a group that begins at the first. */
    private void fill(int count) throws Exception {
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
            var change = new AlterConfigOp(
                    new ConfigEntry("share.auto.offset.reset", "earliest"), AlterConfigOp.OpType.SET);
            var group = new ConfigResource(ConfigResource.Type.GROUP, topic);
            admin.incrementalAlterConfigs(Map.of(group, List.of(change))).all().get();
        }
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("batch.size", "16384");
        settings.put("linger.ms", "5");
        try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int number = 0; number < count; number++) {
                producer.send(new ProducerRecord<>(topic, 0, null, ("record " + number).getBytes()));
            }
            producer.flush();
        }
        System.out.println("records=" + count);
    }

    private KafkaShareConsumer<byte[], byte[]> consumer(String mode, int pollRecords) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("group.id", topic);
        settings.put("share.acknowledgement.mode", mode);
        settings.put("max.poll.records", Integer.toString(pollRecords));
        var consumer = new KafkaShareConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        consumer.subscribe(List.of(topic));
        return consumer;
    }

    /** Holds all records at once, accepts every other one, and waits to be killed. */
    private void holes(int count) throws Exception {
        var consumer = consumer("explicit", count);
        ConsumerRecords<byte[], byte[]> records = ConsumerRecords.empty();
        long deadline = System.currentTimeMillis() + LIMIT_MS;
        while (records.isEmpty() && System.currentTimeMillis() < deadline) {
            records = consumer.poll(POLL);
        }
        long accepted = 0;
        for (ConsumerRecord<byte[], byte[]> record : records) {
            if (record.offset() % 2 == 1) {
                consumer.acknowledge(record, AcknowledgeType.ACCEPT);
                accepted++;
            }
        }
        long began = System.nanoTime();
        long refused = consumer.commitSync().values().stream().filter(error -> error.isPresent()).count();
        System.out.printf("held=%d accepted=%d refused=%d commit_ms=%d%n",
                records.count(), accepted, refused, (System.nanoTime() - began) / 1_000_000);
        System.out.flush();
        Thread.sleep(LIMIT_MS);
    }

    /** Everything that is left: exactly the records that were not accepted. */
    private void rest(int count) {
        BitSet seen = new BitSet();
        long again = 0;
        long twice = 0;
        long deadline = System.currentTimeMillis() + LIMIT_MS;
        try (var consumer = consumer("implicit", 10_000)) {
            while (seen.cardinality() < count / 2 && System.currentTimeMillis() < deadline) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    again += record.offset() % 2;
                    twice += seen.get((int) record.offset()) ? 1 : 0;
                    seen.set((int) record.offset());
                }
            }
            for (int i = 0; i < 4; i++) {
                again += consumer.poll(POLL).count();
            }
        }
        System.out.printf("rest=%d again=%d twice=%d%n", seen.cardinality(), again, twice);
    }

    /** Notes every offset in a file before the poll that accepts it; ends when all have been seen, or nothing comes. */
    private void work(int idlePolls, Path file) throws Exception {
        int idle = 0;
        try (var consumer = consumer("implicit", 500);
                BufferedWriter notes = Files.newBufferedWriter(file, StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND)) {
            while (idle < idlePolls) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
                idle = records.isEmpty() ? idle + 1 : 0;
                for (ConsumerRecord<byte[], byte[]> record : records) {
                    notes.write(Long.toString(record.offset()));
                    notes.newLine();
                }
                notes.flush();
                // A pace at which kills fall into the middle.
                Thread.sleep(20);
            }
        }
        System.out.println("done=1");
    }
}
