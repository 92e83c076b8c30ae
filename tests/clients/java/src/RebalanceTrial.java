import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A group whose members stay while guests come and go every second: how long is the longest pause of a member that stays?
 *
 * Arguments: bootstrap, protocol (consumer or classic), members, partitions, seconds. A pause is the time between two records of one
 * member, after its first; every partition gets a record all the time. A pause is unchanged when the member was given and lost
 * nothing in it. Prints name=value pairs.
 */
final class RebalanceTrial {
    private static final long SETTLE_LIMIT_MS = 90_000;
    private static final long ROUND_MS = 10;
    private static final long GUEST_EVERY_MS = 1_000;
    private static final long GUEST_STAYS_MS = 1_500;

    private final String bootstrap;
    private final String protocol;
    private final int members;
    private final int partitions;
    private final int seconds;
    private final String topic;
    private final AtomicBoolean stop = new AtomicBoolean();

    private RebalanceTrial(String[] arguments) {
        bootstrap = arguments[0];
        protocol = arguments[1];
        members = Integer.parseInt(arguments[2]);
        partitions = Integer.parseInt(arguments[3]);
        seconds = Integer.parseInt(arguments[4]);
        topic = "rebalance-" + protocol;
    }

    public static void main(String[] arguments) throws Exception {
        new RebalanceTrial(arguments).run();
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    /** A consumer on a thread of its own that notes when it last had a record, and the longest time without one. */
    private final class Steady implements Runnable, ConsumerRebalanceListener {
        final AtomicLong records = new AtomicLong();
        volatile boolean measures;
        volatile int owned;
        volatile long longestNanos;
        volatile long longestUnchangedNanos;
        volatile long revocations;
        private long last;
        /** Whether it was given or lost a partition since its last record. */
        private boolean changed;

        @Override
        public void run() {
            try (var consumer = consumer()) {
                consumer.subscribe(List.of(topic), this);
                while (!stop.get()) {
                    int got = consumer.poll(Duration.ofMillis(20)).count();
                    long now = System.nanoTime();
                    owned = consumer.assignment().size();
                    if (got > 0 || !measures) {
                        if (measures) {
                            note(now - last);
                        }
                        last = now;
                        changed = false;
                        records.addAndGet(got);
                    }
                }
                if (measures) {
                    note(System.nanoTime() - last);
                }
            }
        }

        private void note(long pause) {
            longestNanos = Math.max(longestNanos, pause);
            if (!changed) {
                longestUnchangedNanos = Math.max(longestUnchangedNanos, pause);
            }
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            changed |= !partitions.isEmpty();
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            changed |= !partitions.isEmpty();
            // A consumer that is closed gives back everything, which is no rebalance.
            if (measures && !stop.get()) {
                revocations += partitions.size();
            }
        }
    }

    private KafkaConsumer<String, String> consumer() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("group.id", topic);
        properties.put("group.protocol", protocol);
        properties.put("auto.offset.reset", "latest");
        properties.put("fetch.max.wait.ms", "50");
        if (protocol.equals("classic")) {
            properties.put("heartbeat.interval.ms", "500");
            properties.put("session.timeout.ms", "10000");
        }
        StringDeserializer deserializer = new StringDeserializer();
        return new KafkaConsumer<>(properties, deserializer, deserializer);
    }

    private void run() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        }
        Thread producer = started(this::produce);
        List<Steady> steady = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int at = 0; at < members; at++) {
            Steady one = new Steady();
            steady.add(one);
            threads.add(started(one));
        }
        long limit = System.currentTimeMillis() + SETTLE_LIMIT_MS;
        while (!settled(steady)) {
            if (System.currentTimeMillis() > limit) {
                throw new AssertionError("the group does not settle");
            }
            Thread.sleep(50);
        }
        Thread.sleep(2_000);
        steady.forEach(one -> one.measures = true);
        int guests = visit();
        stop.set(true);
        for (Thread thread : threads) {
            thread.join(20_000);
        }
        producer.join(20_000);
        long longest = steady.stream().mapToLong(one -> one.longestNanos).max().orElse(0);
        long unchanged = steady.stream().mapToLong(one -> one.longestUnchangedNanos).max().orElse(0);
        long records = steady.stream().mapToLong(one -> one.records.get()).sum();
        long revoked = steady.stream().mapToLong(one -> one.revocations).sum();
        System.out.printf("longest_pause_ms=%d longest_unchanged_ms=%d records=%d guests=%d revoked=%d%n",
                longest / 1_000_000, unchanged / 1_000_000, records, guests, revoked);
    }

    private boolean settled(List<Steady> steady) {
        int sum = steady.stream().mapToInt(one -> one.owned).sum();
        int most = steady.stream().mapToInt(one -> one.owned).max().orElse(0);
        return sum == partitions && most <= (partitions + members - 1) / members
                && steady.stream().allMatch(one -> one.records.get() > 0);
    }

    /** Guests come every second and go a little later, for as long as the trial is to last. */
    private int visit() throws Exception {
        List<Thread> visits = new ArrayList<>();
        long end = System.currentTimeMillis() + seconds * 1_000L;
        while (System.currentTimeMillis() < end) {
            visits.add(started(() -> {
                try (var guest = consumer()) {
                    guest.subscribe(List.of(topic));
                    long leaves = System.currentTimeMillis() + GUEST_STAYS_MS;
                    while (System.currentTimeMillis() < leaves) {
                        guest.poll(Duration.ofMillis(50));
                    }
                }
            }));
            Thread.sleep(GUEST_EVERY_MS);
        }
        for (Thread visit : visits) {
            visit.join(20_000);
        }
        return visits.size();
    }

    private void produce() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("linger.ms", "5");
        StringSerializer serializer = new StringSerializer();
        try (var producer = new KafkaProducer<>(properties, serializer, serializer)) {
            int next = 0;
            while (!stop.get()) {
                // Every partition gets a record in ten rounds: each member has something to read in each of them.
                for (int count = 0; count < Math.max(1, partitions / 10); count++) {
                    producer.send(new ProducerRecord<>(topic, next, null, "x"));
                    next = (next + 1) % partitions;
                }
                Thread.sleep(ROUND_MS);
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    private static Thread started(Runnable body) {
        Thread thread = new Thread(body);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }
}
