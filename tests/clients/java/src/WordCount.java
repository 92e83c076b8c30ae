import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Counts the words of a topic exactly once, with Kafka Streams.
 *
 * Arguments: bootstrap, input, output, state directory, group protocol ("classic" or "streams"). Words are runs of the letters A to Z, in lower case. Nothing is held back
 * by a cache: each word of the input gives one record of the output, the word and its count so far. Prints a line for each
 * change of state and for each store that was restored; SIGTERM closes it.
 */
public final class WordCount {
    private static final Duration CLOSE = Duration.ofSeconds(30);

    private WordCount() {
    }

    public static void main(String[] arguments) throws Exception {
        KafkaStreams streams = new KafkaStreams(
                topology(arguments[1], arguments[2]), settings(arguments[0], arguments[3], arguments[4]));
        CountDownLatch failed = new CountDownLatch(1);
        streams.setStateListener((now, before) -> {
            print("state " + now);
            if (now == KafkaStreams.State.ERROR) {
                failed.countDown();
            }
        });
        streams.setGlobalStateRestoreListener(new Restored());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            boolean closed = streams.close(CLOSE);
            print("closed=" + closed);
            Runtime.getRuntime().halt(closed ? 0 : 1);
        }));
        streams.start();
        failed.await();
        Runtime.getRuntime().halt(1);
    }

    private static Topology topology(String input, String output) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(input, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
                .flatMapValues(WordCount::words)
                .groupBy((line, word) -> word, Grouped.with("words", Serdes.String(), Serdes.String()))
                .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts")
                        .withKeySerde(Serdes.String())
                        .withValueSerde(Serdes.Long())
                        .withCachingDisabled())
                .toStream()
                .mapValues(count -> count.toString())
                .to(output, Produced.with(Serdes.String(), Serdes.String()));
        return builder.build();
    }

    /** Bytes, not text: what is no letter separates, whatever its encoding. */
    private static List<String> words(byte[] line) {
        String text = new String(line, StandardCharsets.ISO_8859_1);
        return Stream.of(text.split("[^A-Za-z]+"))
                .filter(word -> !word.isEmpty())
                .map(word -> word.toLowerCase(Locale.ROOT))
                .toList();
    }

    private static Properties settings(String bootstrap, String state, String protocol) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "word-count");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        properties.put(StreamsConfig.STATE_DIR_CONFIG, state);
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, "2");
        properties.put(StreamsConfig.GROUP_PROTOCOL_CONFIG, protocol);
        // How soon a killed process is missed, and the transactions that it left open are aborted. With its state directory it has
        // lost its name, so nobody fences it. In the protocol of streams groups the broker says how soon.
        if (protocol.equals("classic")) {
            properties.put(StreamsConfig.consumerPrefix("session.timeout.ms"), "6000");
            properties.put(StreamsConfig.consumerPrefix("heartbeat.interval.ms"), "1500");
        }
        properties.put(StreamsConfig.producerPrefix("transaction.timeout.ms"), "6000");
        return properties;
    }

    private static synchronized void print(String line) {
        System.out.println(line);
        System.out.flush();
    }

    /** Says how much came from the changelog. */
    private static final class Restored implements StateRestoreListener {
        @Override
        public void onRestoreStart(TopicPartition partition, String store, long from, long end) {
        }

        @Override
        public void onBatchRestored(TopicPartition partition, String store, long offset, long records) {
        }

        @Override
        public void onRestoreEnd(TopicPartition partition, String store, long records) {
            print("restored " + store + " " + partition.partition() + " " + records);
        }
    }
}
