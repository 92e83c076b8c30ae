import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;

/** What a reader of committed records sees of transactions, and what a group sees of their offsets. */
final class Transactions {
    private final Stock stock;
    private final String suffix;

    Transactions(Stock stock, String suffix) {
        this.stock = stock;
        this.suffix = suffix;
    }

    /** Two transactions are committed, one between them is aborted, and records of none follow. */
    void commitAndAbort() throws Exception {
        String name = stock.createTopic("transaction-" + suffix, 1);
        List<String> wanted = new ArrayList<>();
        try (var producer = producer(name)) {
            producer.initTransactions();
            for (String what : List.of("first", "aborted", "second")) {
                producer.beginTransaction();
                records(name, what).forEach(producer::send);
                producer.flush();
                if (what.equals("aborted")) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                    records(name, what).forEach(record -> wanted.add(record.value()));
                }
            }
        }
        stock.produce(records(name, "plain"), Map.of("acks", "all"));
        records(name, "plain").forEach(record -> wanted.add(record.value()));
        var got = stock.readCommitted(name, wanted.size()).stream().map(ConsumerRecord::value).toList();
        Report.checkEqual(got, wanted, "committed records");
    }

    /** An offset counts for its group once its transaction is committed, and never if that is aborted. */
    void offsets() throws Exception {
        String source = stock.createTopic("transaction-source-" + suffix, 1);
        stock.produce(records(source, "source"), Map.of("acks", "all"));
        String copies = stock.createTopic("transaction-copies-" + suffix, 1);
        String group = "transaction-" + suffix;
        try (var producer = producer(group)) {
            producer.initTransactions();
            move(producer, copies, group, source, 4);
            producer.commitTransaction();
            move(producer, copies, group, source, 9);
            producer.abortTransaction();
        }
        Report.checkEqual(offsets(group, source, 3), List.of(4L, 5L, 6L), "offsets after a commit and an abort");
        try (var producer = producer(group)) {
            producer.initTransactions();
            move(producer, copies, group, source, 9);
            producer.commitTransaction();
        }
        Report.checkEqual(offsets(group, source, 1), List.of(9L), "offset after another commit");
    }

    private List<Long> offsets(String group, String topic, int count) {
        return stock.readInGroup(group, topic, count).stream().map(ConsumerRecord::offset).toList();
    }

    private void move(KafkaProducer<String, String> producer, String copies, String group, String source, long offset) {
        producer.beginTransaction();
        records(copies, "copy " + offset).forEach(producer::send);
        producer.flush();
        try (var consumer = stock.consumer(group, false)) {
            producer.sendOffsetsToTransaction(
                    Map.of(new TopicPartition(source, 0), new OffsetAndMetadata(offset)), consumer.groupMetadata());
        }
    }

    private KafkaProducer<String, String> producer(String transactionalId) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", stock.bootstrap);
        properties.put("transactional.id", transactionalId);
        StringSerializer serializer = new StringSerializer();
        return new KafkaProducer<>(properties, serializer, serializer);
    }

    private static List<ProducerRecord<String, String>> records(String topic, String what) {
        return IntStream.range(0, 20)
                .mapToObj(number -> new ProducerRecord<>(topic, 0, "key-" + number, what + " " + number))
                .toList();
    }
}
