/*
 * Produces text: one record for each line of standard input, the line's number as its key, the
 * partitions in turns. Lives through restarts of the broker, which kcat does not.
 *
 *   lines BOOTSTRAP TOPIC < TEXT
 *
 * Line N (from 0) goes to partition N modulo their number; the newline is not part of it. Prints
 * one line of `name=value` pairs when all of it is acknowledged.
 */

#include "client.h"

static int64_t acked, failed;

static void take_reports(rd_kafka_t *rk, rd_kafka_queue_t *queue, int wait_ms) {
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(queue, wait_ms)) != NULL) {
        wait_ms = 0;
        check_error_event(rk, event);
        const rd_kafka_message_t *message;
        while ((message = rd_kafka_event_message_next(event)) != NULL) {
            if (message->err) failed++;
            else acked++;
        }
        rd_kafka_event_destroy(event);
    }
}

int main(int count, char **arguments) {
    if (count != 3) die("usage", "lines BOOTSTRAP TOPIC < TEXT");
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, patient_producer_conf(), arguments[1]);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(rk);
    int partitions = partitions_of(rk, arguments[2]);
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, arguments[2], NULL);
    char *line = NULL, key[32];
    size_t capacity = 0;
    ssize_t length;
    int64_t sent = 0, bytes = 0, began = now_us();
    while ((length = getline(&line, &capacity, stdin)) > 0) {
        if (line[length - 1] == '\n') length--;
        int key_length = snprintf(key, sizeof key, "%lld", (long long)sent);
        while (rd_kafka_produce(rkt, (int32_t)(sent % partitions), RD_KAFKA_MSG_F_COPY, line,
                                (size_t)length, key, (size_t)key_length, NULL) != 0) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                die("produce", rd_kafka_err2str(rd_kafka_last_error()));
            take_reports(rk, queue, 10);
        }
        bytes += length;
        if (++sent % 1024 == 0) take_reports(rk, queue, 0);
    }
    int64_t limit = now_us() + DRAIN_LIMIT_US;
    while (acked + failed < sent && now_us() < limit) take_reports(rk, queue, 100);
    printf("records=%lld unacked=%lld bytes=%lld seconds=%.6f\n", (long long)acked,
           (long long)(sent - acked), (long long)bytes, (now_us() - began) / 1e6);
    fflush(stdout);
    _exit(0);
}
