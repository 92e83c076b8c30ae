/*
 * Loads a broker through librdkafka and measures what the client sees. The driver is
 * `cargo xtask bench`; C, because on a small machine client and broker share the cores, and this
 * client leaves the broker the most.
 *
 *   load produce BOOTSTRAP TOPIC SIZE PRODUCERS SECONDS [NAME=VALUE ...]
 *   load consume BOOTSTRAP TOPIC RECORDS SECONDS [NAME=VALUE ...]
 *   load latency BOOTSTRAP TOPIC SIZE RATE SECONDS [NAME=VALUE ...]
 *   load first   BOOTSTRAP TOPIC
 *
 * Each prints one line of `name=value` pairs. Times are in seconds or microseconds, as the name
 * says. A latency counts from the moment at which the record was due, not from the one at which
 * it could be sent: a stall delays every record behind it, and each of them says so.
 *
 * NAME is a setting of librdkafka, or one of these:
 *   records=N    produce: no more than so many, all producers together
 *   keys=N       produce: records have keys, N different ones, and the client's own partitioner
 *                places them
 *   topics=N     produce: producer number i uses the topic TOPIC-(i % N)
 *   run=N        produce: so many records to one partition before the next one has its turn
 *   readers=N    latency: so many consumers, each of which reads everything
 *   again=1      consume: begin anew at the end, until the time is over
 */

#define _GNU_SOURCE
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PRODUCERS_MAX 64
#define READERS_MAX 64
#define PARTITIONS_MAX 16384
#define SETTINGS_MAX 32
/* A 16-digit number in hexadecimal digits. */
#define KEY_BYTES 16
#define SIZE_MAX_BYTES (1 << 20)
#define BATCH_RECORDS 10000
#define DRAIN_LIMIT_US (60 * 1000000LL)
#define CALL_LIMIT_MS 10000
/* Latencies are kept as they are, of all readers; at most this many of a run. */
#define SAMPLES_MAX 20000000

static void die(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static double client_cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_utime.tv_sec + u.ru_stime.tv_sec +
           (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char error[256];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK)
        die(name, error);
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf, const char *bootstrap) {
    char error[256];
    set(conf, "bootstrap.servers", bootstrap);
    rd_kafka_t *rk = rd_kafka_new(type, conf, error, sizeof error);
    if (rk == NULL) die("cannot create a client", error);
    return rk;
}

/* ---- the NAME=VALUE pairs of the command line ---- */

static int64_t records_max = INT64_MAX, keys, topics = 1, run = 64, readers = 1, again;
static struct { const char *name, *value; } settings[SETTINGS_MAX];
static int settings_count;

static int64_t number(const char *text, int64_t least, int64_t most);

static void take_option(char *pair) {
    static const struct { const char *name; int64_t *value, most; } OWN[] = {
        {"records", &records_max, INT64_MAX}, {"keys", &keys, INT64_MAX},
        {"topics", &topics, PRODUCERS_MAX},   {"run", &run, 1 << 20},
        {"readers", &readers, READERS_MAX},   {"again", &again, 1}};
    char *value = strchr(pair, '=');
    if (value == NULL) die(pair, "is not NAME=VALUE");
    *value++ = '\0';
    for (size_t i = 0; i < sizeof OWN / sizeof OWN[0]; i++)
        if (strcmp(OWN[i].name, pair) == 0) {
            *OWN[i].value = number(value, 1, OWN[i].most);
            return;
        }
    if (settings_count == SETTINGS_MAX) die(pair, "is one setting too many");
    settings[settings_count].name = pair;
    settings[settings_count++].value = value;
}

static void apply_settings(rd_kafka_conf_t *conf) {
    for (int i = 0; i < settings_count; i++) set(conf, settings[i].name, settings[i].value);
}

static int is_compressed(void) {
    for (int i = 0; i < settings_count; i++)
        if (strcmp(settings[i].name, "compression.type") == 0) return 1;
    return 0;
}

/* ---- what records hold: words, as compressible as text of logs is ---- */

#define POOL_BYTES_PLAIN (256 << 10)
/* Larger than a codec's window, so that the pool's repetition does not compress. */
#define POOL_BYTES_COMPRESSED (16 << 20)
#define WORDS 4096
#define WORD_BYTES_MAX 12

static uint64_t random_state = 0x9E3779B97F4A7C15ULL;

static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static char *pool;
static size_t pool_bytes;

/* The same bytes in every run. Small words come more often than large ones, as they do in text. */
static void make_pool(size_t size) {
    static char words[WORDS][WORD_BYTES_MAX + 1];
    for (int w = 0; w < WORDS; w++) {
        size_t letters = 2 + next_random() % (WORD_BYTES_MAX - 2);
        for (size_t i = 0; i < letters; i++) words[w][i] = (char)('a' + next_random() % 26);
        words[w][letters] = ' ';
    }
    pool_bytes = is_compressed() ? POOL_BYTES_COMPRESSED : POOL_BYTES_PLAIN;
    pool = malloc(pool_bytes + size);
    for (size_t at = 0; at < pool_bytes + size;) {
        uint64_t range = WORDS >> next_random() % 8;
        const char *word = words[next_random() % range];
        for (; at < pool_bytes + size && *word != '\0'; word++) pool[at++] = *word;
    }
}

/* The number of a topic's partitions. */
static int partitions_of(rd_kafka_t *rk, const char *topic) {
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error = rd_kafka_metadata(rk, 0, rkt, &metadata, CALL_LIMIT_MS);
    if (error) die("metadata", rd_kafka_err2str(error));
    int count = metadata->topics[0].partition_cnt;
    if (count < 1 || count > PARTITIONS_MAX) die(topic, "has no usable number of partitions");
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(rkt);
    return count;
}

/* What every producer promises: acks=all and no duplicates, the defaults of today's clients. */
static rd_kafka_conf_t *producer_conf(const char *linger_ms) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "enable.idempotence", "true");
    set(conf, "acks", "all");
    set(conf, "linger.ms", linger_ms);
    set(conf, "batch.num.messages", "100000");
    set(conf, "queue.buffering.max.messages", "1000000");
    set(conf, "queue.buffering.max.kbytes", "65536");
    apply_settings(conf);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    return conf;
}

/* Ends the program when the client says that it cannot go on. */
static void check_error_event(rd_kafka_t *rk, rd_kafka_event_t *event) {
    char reason[256];
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR &&
        rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__FATAL) {
        rd_kafka_fatal_error(rk, reason, sizeof reason);
        die("fatal error", reason);
    }
}

/* ---- produce: as much as goes through ---- */

struct produce_job {
    const char *bootstrap;
    char topic[256];
    size_t size;
    int64_t duration_us, records_max;
    uint64_t seed;
    int64_t acked, failed;
};

static atomic_int ready_producers;
static atomic_int go;

/* Takes the delivery reports that have arrived; waits up to `wait_ms` for the first. */
static void take_reports(rd_kafka_t *rk, rd_kafka_queue_t *queue, int wait_ms,
                         struct produce_job *job) {
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(queue, wait_ms)) != NULL) {
        wait_ms = 0;
        check_error_event(rk, event);
        const rd_kafka_message_t *message;
        while ((message = rd_kafka_event_message_next(event)) != NULL) {
            if (message->err) job->failed++;
            else job->acked++;
        }
        rd_kafka_event_destroy(event);
    }
}

/* One record, without a copy: the pool outlives every record. */
static int produce_one(rd_kafka_topic_t *rkt, struct produce_job *job, int partitions, int64_t n) {
    char *payload = pool + (uint64_t)n * job->size % pool_bytes;
    char key[KEY_BYTES + 1];
    int32_t partition = RD_KAFKA_PARTITION_UA;
    if (keys > 0) {
        job->seed = job->seed * 6364136223846793005ULL + 1442695040888963407ULL;
        snprintf(key, sizeof key, "%016llx", (unsigned long long)((job->seed >> 16) % (uint64_t)keys));
    } else {
        partition = (int32_t)((n / run) % partitions);
    }
    return rd_kafka_produce(rkt, partition, 0, payload, job->size, keys > 0 ? key : NULL,
                            keys > 0 ? KEY_BYTES : 0, NULL);
}

static void *produce_thread(void *argument) {
    struct produce_job *job = argument;
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, producer_conf("5"), job->bootstrap);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(rk);
    int partitions = partitions_of(rk, job->topic);
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, job->topic, NULL);
    atomic_fetch_add(&ready_producers, 1);
    while (!atomic_load(&go)) usleep(100);

    int64_t end = now_us() + job->duration_us, sent = 0;
    while (now_us() < end && sent < job->records_max) {
        for (int i = 0; i < 256 && sent < job->records_max; i++) {
            if (produce_one(rkt, job, partitions, sent) == 0) {
                sent++;
                continue;
            }
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                die("produce", rd_kafka_err2str(rd_kafka_last_error()));
            take_reports(rk, queue, 10, job);
        }
        take_reports(rk, queue, 0, job);
    }
    int64_t limit = now_us() + DRAIN_LIMIT_US;
    while (job->acked + job->failed < sent && now_us() < limit) take_reports(rk, queue, 100, job);
    job->failed += sent - job->acked - job->failed;
    rd_kafka_topic_destroy(rkt);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
    return NULL;
}

static void produce(const char *bootstrap, const char *topic, size_t size, int producers,
                    int seconds) {
    pthread_t threads[PRODUCERS_MAX];
    struct produce_job jobs[PRODUCERS_MAX];
    memset(jobs, 0, sizeof jobs);
    make_pool(size);
    for (int i = 0; i < producers; i++) {
        jobs[i].bootstrap = bootstrap;
        if (topics > 1) snprintf(jobs[i].topic, sizeof jobs[i].topic, "%s-%d", topic, i % (int)topics);
        else snprintf(jobs[i].topic, sizeof jobs[i].topic, "%s", topic);
        jobs[i].size = size;
        jobs[i].seed = 1 + (uint64_t)i;
        jobs[i].records_max = records_max / producers;
        jobs[i].duration_us = seconds * 1000000LL;
        pthread_create(&threads[i], NULL, produce_thread, &jobs[i]);
    }
    while (atomic_load(&ready_producers) < producers) usleep(100);
    int64_t began = now_us();
    double cpu = client_cpu_seconds();
    atomic_store(&go, 1);
    int64_t acked = 0, failed = 0;
    for (int i = 0; i < producers; i++) {
        pthread_join(threads[i], NULL);
        acked += jobs[i].acked;
        failed += jobs[i].failed;
    }
    double took = (now_us() - began) / 1e6;
    printf("records=%lld failed=%lld bytes=%lld seconds=%.6f client_cpu_seconds=%.3f\n",
           (long long)acked, (long long)failed, (long long)(acked * (int64_t)size), took,
           client_cpu_seconds() - cpu);
}

/* ---- consume: everything from the beginning ---- */

/* From `offset` of every partition on. */
static void assign_from(rd_kafka_t *rk, const char *topic, int64_t offset) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int partitions = partitions_of(rk, topic);
    for (int32_t p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = offset;
    rd_kafka_resp_err_t error = rd_kafka_assign(rk, list);
    if (error) die("assign", rd_kafka_err2str(error));
    rd_kafka_topic_partition_list_destroy(list);
}

/* Settings of the command line are the producer's where there is one. */
static rd_kafka_t *consumer(const char *bootstrap, const char *topic, int64_t offset,
                            int producing) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "group.id", "load");
    set(conf, "enable.auto.commit", "false");
    set(conf, "auto.offset.reset", "earliest");
    /* librdkafka pauses a second when its queue is full; a queue that is never full does not. */
    set(conf, "queued.min.messages", "10000000");
    set(conf, "queued.max.messages.kbytes", "2097151");
    if (producing == 0) apply_settings(conf);
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, conf, bootstrap);
    rd_kafka_poll_set_consumer(rk);
    assign_from(rk, topic, offset);
    return rk;
}

static void consume(const char *bootstrap, const char *topic, int64_t wanted, int seconds) {
    rd_kafka_t *rk = consumer(bootstrap, topic, 0, 0);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    static rd_kafka_message_t *messages[BATCH_RECORDS];
    int64_t records = 0, bytes = 0, began = now_us();
    double cpu = client_cpu_seconds();
    int64_t end = began + seconds * 1000000LL, turn = 0;
    while ((records < wanted || again) && now_us() < end) {
        if (again && records >= (turn + 1) * wanted) {
            turn++;
            assign_from(rk, topic, 0);
        }
        ssize_t got = rd_kafka_consume_batch_queue(queue, 100, messages, BATCH_RECORDS);
        for (ssize_t i = 0; i < got; i++) {
            if (!messages[i]->err) {
                records++;
                bytes += (int64_t)messages[i]->len;
            }
            rd_kafka_message_destroy(messages[i]);
        }
    }
    double took = (now_us() - began) / 1e6;
    printf("records=%lld bytes=%lld seconds=%.6f client_cpu_seconds=%.3f\n", (long long)records,
           (long long)bytes, took, client_cpu_seconds() - cpu);
    fflush(stdout);
    /* Closing would wait for fetches in flight; the broker is measured, not this. */
    _exit(0);
}

/* ---- latency: a fixed rate ---- */

struct samples {
    uint32_t *us;
    _Atomic int64_t count;
};

static struct samples acked_after, read_after;
static atomic_int reading_ends;
static atomic_int readers_ready;

static void sample(struct samples *samples, int64_t us) {
    int64_t at = atomic_fetch_add(&samples->count, 1);
    if (at >= SAMPLES_MAX) die("too many samples", "a shorter run, or a lower rate");
    samples->us[at] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_percentiles(const char *name, struct samples *samples) {
    static const struct { const char *label; double part; } POINTS[] = {
        {"p50", 0.5}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1.0}};
    qsort(samples->us, (size_t)samples->count, sizeof samples->us[0], compare);
    for (size_t i = 0; i < sizeof POINTS / sizeof POINTS[0]; i++) {
        int64_t at = (int64_t)(POINTS[i].part * (double)samples->count);
        if (at >= samples->count) at = samples->count - 1;
        printf(" %s_%s_us=%u", name, POINTS[i].label, at < 0 ? 0 : samples->us[at]);
    }
}

/* Reads what is produced as it comes; every record begins with the time at which it was due. */
static void *reader_thread(void *argument) {
    const char **arguments = argument;
    rd_kafka_t *rk = consumer(arguments[0], arguments[1], RD_KAFKA_OFFSET_END, 1);
    int64_t settle = now_us() + 1000000;
    while (!atomic_load(&reading_ends)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 10);
        if (settle != 0 && now_us() > settle) {
            settle = 0;
            atomic_fetch_add(&readers_ready, 1);
        }
        if (message == NULL) continue;
        int64_t due;
        if (!message->err && message->len >= sizeof due) {
            memcpy(&due, message->payload, sizeof due);
            sample(&read_after, now_us() - due);
        }
        rd_kafka_message_destroy(message);
    }
    return NULL;
}

struct ack_job {
    rd_kafka_t *rk;
    atomic_llong taken, failed;
    atomic_int ends;
};

/* Takes the time of each acknowledgement as it comes. */
static void *acks_thread(void *argument) {
    struct ack_job *job = argument;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(job->rk);
    while (!atomic_load(&job->ends)) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 10);
        if (event == NULL) continue;
        check_error_event(job->rk, event);
        int64_t now = now_us();
        const rd_kafka_message_t *message;
        while ((message = rd_kafka_event_message_next(event)) != NULL) {
            int64_t due;
            memcpy(&due, message->payload, sizeof due);
            if (message->err) atomic_fetch_add(&job->failed, 1);
            else sample(&acked_after, now - due);
            atomic_fetch_add(&job->taken, 1);
        }
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    return NULL;
}

static void sleep_until(int64_t us) {
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* Sends `total` records, each at the moment when it is due or, when that is past, at once. */
static void send_at_rate(rd_kafka_t *rk, const char *topic, size_t size, int64_t rate,
                         int64_t total, int64_t began) {
    int partitions = partitions_of(rk, topic);
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
    char *payload = calloc(1, size);
    for (int64_t sent = 0; sent < total;) {
        int64_t due = began + sent * 1000000 / rate;
        if (due > now_us()) sleep_until(due);
        memcpy(payload, &due, sizeof due);
        int32_t partition = (int32_t)(sent % partitions);
        if (rd_kafka_produce(rkt, partition, RD_KAFKA_MSG_F_COPY, payload, size, NULL, 0, NULL) == 0)
            sent++;
        else if (rd_kafka_last_error() == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            usleep(1000);
        else
            die("produce", rd_kafka_err2str(rd_kafka_last_error()));
    }
    free(payload);
}

static void latency(const char *bootstrap, const char *topic, size_t size, int64_t rate,
                    int seconds) {
    acked_after.us = malloc(SAMPLES_MAX * sizeof(uint32_t));
    read_after.us = malloc(SAMPLES_MAX * sizeof(uint32_t));
    const char *arguments[] = {bootstrap, topic};
    pthread_t reader[READERS_MAX], acks;
    for (int i = 0; i < readers; i++) pthread_create(&reader[i], NULL, reader_thread, arguments);
    struct ack_job job = {.rk = client(RD_KAFKA_PRODUCER, producer_conf("0"), bootstrap)};
    pthread_create(&acks, NULL, acks_thread, &job);
    while (atomic_load(&readers_ready) < readers) usleep(1000);

    int64_t total = rate * seconds, began = now_us() + 100000;
    double cpu = client_cpu_seconds();
    send_at_rate(job.rk, topic, size, rate, total, began);
    double sending = (now_us() - began) / 1e6;
    int64_t limit = now_us() + DRAIN_LIMIT_US;
    while (atomic_load(&job.taken) < total && now_us() < limit) usleep(1000);
    double took = (now_us() - began) / 1e6;
    double cpu_used = client_cpu_seconds() - cpu;
    atomic_store(&job.ends, 1);
    pthread_join(acks, NULL);
    int64_t readings = acked_after.count * readers;
    while (read_after.count < readings && now_us() < limit) usleep(1000);
    atomic_store(&reading_ends, 1);
    for (int i = 0; i < readers; i++) pthread_join(reader[i], NULL);
    printf("records=%lld failed=%lld unread=%lld bytes=%lld seconds=%.6f sending_seconds=%.6f "
           "client_cpu_seconds=%.3f",
           (long long)acked_after.count, (long long)(total - acked_after.count),
           (long long)(readings - read_after.count),
           (long long)(acked_after.count * (int64_t)size), took, sending, cpu_used);
    print_percentiles("ack", &acked_after);
    print_percentiles("read", &read_after);
    printf("\n");
    fflush(stdout);
    _exit(0);
}

/* ---- first: how long until one record is acknowledged ---- */

static void first(const char *bootstrap, const char *topic) {
    int64_t began = now_us();
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, producer_conf("0"), bootstrap);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(rk);
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
    struct produce_job job = {0};
    if (rd_kafka_produce(rkt, 0, RD_KAFKA_MSG_F_COPY, "first", 5, NULL, 0, NULL) != 0)
        die("produce", rd_kafka_err2str(rd_kafka_last_error()));
    while (job.acked + job.failed == 0) take_reports(rk, queue, 1000, &job);
    printf("records=%lld failed=%lld seconds=%.6f\n", (long long)job.acked, (long long)job.failed,
           (now_us() - began) / 1e6);
    fflush(stdout);
    _exit(0);
}

/* A number from the command line inside its limits. */
static int64_t number(const char *text, int64_t least, int64_t most) {
    char *end;
    long long value = strtoll(text, &end, 10);
    if (*end != '\0' || value < least || value > most) die(text, "is not a number in range");
    return value;
}

int main(int count, char **arguments) {
    const char *mode = count > 1 ? arguments[1] : "";
    int fixed = strcmp(mode, "consume") == 0 ? 6 : strcmp(mode, "first") == 0 ? 4 : 7;
    if (count < fixed) die("usage", "load produce|consume|latency|first BOOTSTRAP TOPIC ...; see the head of load.c");
    for (int i = fixed; i < count; i++) take_option(arguments[i]);
    if (strcmp(mode, "produce") == 0)
        produce(arguments[2], arguments[3], (size_t)number(arguments[4], 8, SIZE_MAX_BYTES),
                (int)number(arguments[5], 1, PRODUCERS_MAX), (int)number(arguments[6], 1, 3600));
    else if (strcmp(mode, "consume") == 0)
        consume(arguments[2], arguments[3], number(arguments[4], 1, INT64_MAX),
                (int)number(arguments[5], 1, 3600));
    else if (strcmp(mode, "latency") == 0)
        latency(arguments[2], arguments[3], (size_t)number(arguments[4], 8, SIZE_MAX_BYTES),
                number(arguments[5], 1, 10000000), (int)number(arguments[6], 1, 3600));
    else if (strcmp(mode, "first") == 0)
        first(arguments[2], arguments[3]);
    else
        die(mode, "is no mode; see the head of load.c");
    return 0;
}
