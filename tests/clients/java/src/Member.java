import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;

/** One consumer in a group, polled by a thread of its own and committing by itself. */
final class Member implements AutoCloseable, ConsumerRebalanceListener {
    private static final long LEAVE_LIMIT_MS = 15_000;

    final Set<String> values = ConcurrentHashMap.newKeySet();
    final Set<Integer> assignment = ConcurrentHashMap.newKeySet();
    private final Consumer<String, String> consumer;
    private final Thread thread = new Thread(this::run, "member");

    Member(Consumer<String, String> consumer, String topic) {
        this.consumer = consumer;
        consumer.subscribe(List.of(topic), this);
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try (consumer) {
            while (true) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    values.add(record.value());
                }
            }
        } catch (WakeupException left) {
            // The way out; closing the consumer commits and leaves the group.
        }
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        partitions.forEach(partition -> assignment.add(partition.partition()));
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        partitions.forEach(partition -> assignment.remove(partition.partition()));
    }

    @Override
    public void close() throws InterruptedException {
        consumer.wakeup();
        thread.join(LEAVE_LIMIT_MS);
        Report.check(!thread.isAlive(), "the member leaves its group");
    }
}
