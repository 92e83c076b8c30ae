/*
 * Records whose content follows from their place: the record at offset N of partition P holds P, N
 * and bytes derived from both. Whoever reads it knows without a journal whether it is the right
 * one, so that gigabytes can be checked while a broker is troubled. librdkafka on both sides.
 *
 *   sequence produce BOOTSTRAP TOPIC SIZE RATE SECONDS [BYTES]   RATE 0: as fast as it goes
 *   sequence read    BOOTSTRAP TOPIC SECONDS             all that is there when it begins
 *   sequence follow  BOOTSTRAP TOPIC SECONDS             the same and what is added until SIGTERM
 *
 * Each prints one line of `name=value` pairs. SECONDS bounds the run; `produce` ends earlier after
 * BYTES or on SIGTERM. A topic must have one producer at a time: that is what makes the place known. Delivery
 * has no time limit, because a record given up would shift all behind it.
 */

#include "client.h"
#include <signal.h>

#define BATCH_RECORDS 4096
/* Records of one partition in a row, so that batches fill. */
#define RUN_RECORDS 64
/* Wrong records that are described; all are counted. */
#define COMPLAINTS_MAX 10

struct header {
    uint64_t offset;
    uint32_t partition;
    uint32_t length;
};

static volatile sig_atomic_t stopping;
static unsigned char noise[2 * SIZE_MAX_BYTES];
static int64_t next_offset[PARTITIONS_MAX], end_offset[PARTITIONS_MAX];

static void stop(int number) {
    (void)number;
    stopping = 1;
}

/* The same bytes in every process. */
static void make_noise(void) {
    uint64_t state = 0x9E3779B97F4A7C15ULL;
    for (size_t i = 0; i < sizeof noise; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise[i] = (unsigned char)(state >> 32);
    }
}

/* What follows the header in the record at this place. */
static const unsigned char *body(uint32_t partition, uint64_t offset) {
    return noise + (offset * 61 + partition * 7919) % SIZE_MAX_BYTES;
}

static void read_ends(rd_kafka_t *rk, const char *topic, int partitions) {
    for (int32_t p = 0; p < partitions; p++) {
        int64_t low;
        rd_kafka_resp_err_t error =
            rd_kafka_query_watermark_offsets(rk, topic, p, &low, &end_offset[p], CALL_LIMIT_MS);
        if (error) die("end offsets", rd_kafka_err2str(error));
    }
}

/* ---- produce ---- */

static int64_t acked, failed, misplaced;

static void take_reports(rd_kafka_t *rk, rd_kafka_queue_t *queue, int wait_ms) {
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(queue, wait_ms)) != NULL) {
        wait_ms = 0;
        check_error_event(rk, event);
        const rd_kafka_message_t *message;
        while ((message = rd_kafka_event_message_next(event)) != NULL) {
            if (message->err) {
                failed++;
                continue;
            }
            acked++;
            /* Told where the record is: it must be where its content says. */
            if (message->offset != (int64_t)(intptr_t)message->_private - 1) misplaced++;
        }
        rd_kafka_event_destroy(event);
    }
}

static void produce(const char *bootstrap, const char *topic, size_t size, int64_t rate,
                    int seconds, int64_t bytes) {
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, patient_producer_conf(), bootstrap);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(rk);
    int partitions = partitions_of(rk, topic);
    read_ends(rk, topic, partitions);
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
    unsigned char *payload = malloc(size);
    int64_t began = now_us(), end = began + seconds * 1000000LL, sent = 0;
    while (!stopping && now_us() < end && sent * (int64_t)size < bytes) {
        int32_t partition = (int32_t)((sent / RUN_RECORDS) % partitions);
        struct header header = {(uint64_t)end_offset[partition], (uint32_t)partition,
                                (uint32_t)size};
        memcpy(payload, &header, sizeof header);
        memcpy(payload + sizeof header, body(header.partition, header.offset), size - sizeof header);
        if (rd_kafka_produce(rkt, partition, RD_KAFKA_MSG_F_COPY, payload, size, NULL, 0,
                             (void *)(intptr_t)(header.offset + 1)) == 0) {
            end_offset[partition]++;
            sent++;
            if (sent % 256 == 0) take_reports(rk, queue, 0);
        } else if (rd_kafka_last_error() == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            take_reports(rk, queue, 10);
        } else {
            die("produce", rd_kafka_err2str(rd_kafka_last_error()));
        }
        while (rate > 0 && !stopping && began + sent * 1000000 / rate > now_us())
            take_reports(rk, queue, 5);
    }
    int64_t limit = now_us() + DRAIN_LIMIT_US;
    while (acked + failed < sent && now_us() < limit) take_reports(rk, queue, 100);
    double took = (now_us() - began) / 1e6;
    printf("records=%lld unacked=%lld misplaced=%lld bytes=%lld seconds=%.6f\n", (long long)acked,
           (long long)(sent - acked), (long long)misplaced, (long long)(acked * (int64_t)size),
           took);
    fflush(stdout);
    _exit(0);
}

/* ---- read ---- */

static int64_t wrong;

static void complain(const rd_kafka_message_t *message, const char *what) {
    if (wrong++ < COMPLAINTS_MAX)
        fprintf(stderr, "partition %d offset %lld (%lld expected): %s\n", message->partition,
                (long long)message->offset, (long long)next_offset[message->partition], what);
}

static void check(const rd_kafka_message_t *message) {
    struct header header;
    if (message->offset != next_offset[message->partition]) complain(message, "not the next offset");
    next_offset[message->partition] = message->offset + 1;
    if (message->len < sizeof header || message->len > SIZE_MAX_BYTES) {
        complain(message, "a length that no record has");
        return;
    }
    memcpy(&header, message->payload, sizeof header);
    if (header.partition != (uint32_t)message->partition || header.length != message->len ||
        header.offset != (uint64_t)message->offset)
        complain(message, "another record's header");
    else if (memcmp((const char *)message->payload + sizeof header,
                    body(header.partition, header.offset), message->len - sizeof header) != 0)
        complain(message, "wrong bytes");
}

static void read_all(const char *bootstrap, const char *topic, int seconds, int follow) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "group.id", "sequence");
    set(conf, "enable.auto.commit", "false");
    /* An offset out of range is an error here, never a silent start from elsewhere. */
    set(conf, "auto.offset.reset", "error");
    set(conf, "check.crcs", "true");
    set(conf, "queued.max.messages.kbytes", "65536");
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, conf, bootstrap);
    rd_kafka_poll_set_consumer(rk);
    int partitions = partitions_of(rk, topic);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = 0;
    rd_kafka_resp_err_t error = rd_kafka_assign(rk, list);
    if (error) die("assign", rd_kafka_err2str(error));
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    static rd_kafka_message_t *messages[BATCH_RECORDS];
    int64_t records = 0, bytes = 0, left = 1, began = now_us(), end = began + seconds * 1000000LL;
    int ends_known = 0;
    while (left > 0 && now_us() < end) {
        if (!ends_known && (!follow || stopping)) {
            read_ends(rk, topic, partitions);
            ends_known = 1;
        }
        ssize_t got = rd_kafka_consume_batch_queue(queue, 100, messages, BATCH_RECORDS);
        for (ssize_t i = 0; i < got; i++) {
            if (messages[i]->err) {
                fprintf(stderr, "%s\n", rd_kafka_message_errstr(messages[i]));
            } else {
                check(messages[i]);
                records++;
                bytes += (int64_t)messages[i]->len;
            }
            rd_kafka_message_destroy(messages[i]);
        }
        if (!ends_known) continue;
        left = 0;
        for (int p = 0; p < partitions; p++)
            if (next_offset[p] < end_offset[p]) left += end_offset[p] - next_offset[p];
    }
    double took = (now_us() - began) / 1e6;
    printf("records=%lld wrong=%lld unread=%lld bytes=%lld seconds=%.6f\n", (long long)records,
           (long long)wrong, (long long)left, (long long)bytes, took);
    fflush(stdout);
    _exit(0);
}

int main(int count, char **arguments) {
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    make_noise();
    if ((count == 7 || count == 8) && strcmp(arguments[1], "produce") == 0)
        produce(arguments[2], arguments[3],
                (size_t)number(arguments[4], sizeof(struct header) + 1, SIZE_MAX_BYTES),
                number(arguments[5], 0, 100000000), (int)number(arguments[6], 1, 36000),
                count == 8 ? number(arguments[7], 1, INT64_MAX) : INT64_MAX);
    else if (count == 5 && strcmp(arguments[1], "read") == 0)
        read_all(arguments[2], arguments[3], (int)number(arguments[4], 1, 36000), 0);
    else if (count == 5 && strcmp(arguments[1], "follow") == 0)
        read_all(arguments[2], arguments[3], (int)number(arguments[4], 1, 36000), 1);
    else
        die("usage", "sequence produce|read|follow BOOTSTRAP TOPIC ...; see the head of sequence.c");
    return 0;
}
