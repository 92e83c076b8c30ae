import java.io.BufferedWriter;
import java.nio.charset.StandardCharsets;
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
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The consumers of the trial of share groups: one topic of one partition, offsets are the records' names. At work they reject, put
 * back and accept by the same rules as {@code share_worker.py}.
 */
public final class ShareTrial {
    private static final Duration POLL = Duration.ofMillis(500);
    private static final long LIMIT_MS = 240_000;
    private static final long LETTERS_LIMIT_MS = 30_000;

    /** Pause behind each poll: a pace at which kills fall into the middle. */
    private static final long PACE_MS = 40;

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
            case "fill" -> trial.fill(count, arguments[4]);
            case "holes" -> trial.holes(count);
            case "rest" -> trial.rest(count);
            case "work" -> trial.work(count, Path.of(arguments[4]));
            case "letters" -> trial.letters(count, Path.of(arguments[4]));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    /** A topic with so many records, a group that begins at the first, and a topic for its dead letters. */
    private void fill(int count, String batchBytes) throws Exception {
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap))) {
            NewTopic letters = new NewTopic(lettersTopic(), 1, (short) 1)
                    .configs(Map.of("errors.deadletterqueue.group.enable", "true"));
            admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1), letters)).all().get();
            var group = new ConfigResource(ConfigResource.Type.GROUP, topic);
            var changes = List.of(
                    set("share.auto.offset.reset", "earliest"),
                    set("errors.deadletterqueue.topic.name", lettersTopic()));
            admin.incrementalAlterConfigs(Map.of(group, changes)).all().get();
        }
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("batch.size", batchBytes);
        settings.put("linger.ms", "5");
        try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int number = 0; number < count; number++) {
                producer.send(new ProducerRecord<>(topic, 0, null, ("record " + number).getBytes()));
            }
            producer.flush();
        }
        System.out.println("records=" + count);
    }

    private String lettersTopic() {
        return "dlq." + topic;
    }

    private static AlterConfigOp set(String name, String value) {
        return new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET);
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

    /**
     * Accepts most records, and notes each in a file before it says so; puts some back when they come for the first time, rejects others
     * always. Ends when nothing comes any more.
     */
    private void work(int idlePolls, Path file) throws Exception {
        int idle = 0;
        try (var consumer = consumer("explicit", 50); BufferedWriter notes = open(file)) {
            while (idle < idlePolls) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
                idle = records.isEmpty() ? idle + 1 : 0;
                for (ConsumerRecord<byte[], byte[]> record : records) {
                    AcknowledgeType answer = answer(record);
                    if (answer == AcknowledgeType.ACCEPT) {
                        notes.write(Long.toString(record.offset()));
                        notes.newLine();
                    }
                    consumer.acknowledge(record, answer);
                }
                notes.flush();
                Thread.sleep(PACE_MS);
            }
        }
        System.out.println("done=1");
    }

    private static AcknowledgeType answer(ConsumerRecord<byte[], byte[]> record) {
        if (record.offset() % 100 == 7) {
            return AcknowledgeType.REJECT;
        }
        boolean isFirst = record.deliveryCount().orElse((short) 1) == 1;
        return record.offset() % 10 == 3 && isFirst ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT;
    }

    private static BufferedWriter open(Path file) throws Exception {
        return Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /** Notes which records have dead letters; waits until so many were rejected. */
    private void letters(int rejected, Path file) throws Exception {
        BitSet all = new BitSet();
        BitSet byConsumers = new BitSet();
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        TopicPartition place = new TopicPartition(lettersTopic(), 0);
        long written = 0;
        long deadline = System.currentTimeMillis() + LETTERS_LIMIT_MS;
        try (var reader = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
                BufferedWriter notes = open(file)) {
            reader.assign(List.of(place));
            reader.seekToBeginning(List.of(place));
            long end = reader.endOffsets(List.of(place)).get(place);
            while ((byConsumers.cardinality() < rejected || reader.position(place) < end)
                    && System.currentTimeMillis() < deadline) {
                for (ConsumerRecord<byte[], byte[]> letter : reader.poll(POLL)) {
                    int offset = Integer.parseInt(header(letter, "__dlq.errors.offset"));
                    written++;
                    all.set(offset);
                    if (header(letter, "__dlq.errors.message").contains("rejected")) {
                        byConsumers.set(offset);
                    }
                    notes.write(Integer.toString(offset));
                    notes.newLine();
                }
            }
        }
        System.out.printf("letters=%d written=%d rejected=%d%n", all.cardinality(), written, byConsumers.cardinality());
    }

    private static String header(ConsumerRecord<byte[], byte[]> letter, String name) {
        return new String(letter.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
    }
}
