/*
 * What the programs of the trials share: settings, topics, time and arguments, on librdkafka. Every
 * failure ends the program with a sentence on standard error.
 */

#ifndef MILLSTREAM_TESTS_CLIENT_H
#define MILLSTREAM_TESTS_CLIENT_H

#define _GNU_SOURCE
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PARTITIONS_MAX 4096
#define SIZE_MAX_BYTES (1 << 20)
#define CALL_LIMIT_MS 60000
#define DRAIN_LIMIT_US (120 * 1000000LL)

static inline void die(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static inline int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char error[256];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK)
        die(name, error);
}

static inline rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                                 const char *bootstrap) {
    char error[256];
    set(conf, "bootstrap.servers", bootstrap);
    set(conf, "reconnect.backoff.max.ms", "500");
    rd_kafka_t *rk = rd_kafka_new(type, conf, error, sizeof error);
    if (rk == NULL) die("cannot create a client", error);
    return rk;
}

/* Settings of a producer that gives up on nothing: a record given up would shift all behind it. */
static inline rd_kafka_conf_t *patient_producer_conf(void) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "enable.idempotence", "true");
    set(conf, "linger.ms", "5");
    set(conf, "message.timeout.ms", "0");
    set(conf, "batch.num.messages", "100000");
    set(conf, "queue.buffering.max.messages", "1000000");
    set(conf, "queue.buffering.max.kbytes", "65536");
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    return conf;
}

/* Ends the program when the client says that it cannot go on. */
static inline void check_error_event(rd_kafka_t *rk, rd_kafka_event_t *event) {
    char reason[256];
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR &&
        rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__FATAL) {
        rd_kafka_fatal_error(rk, reason, sizeof reason);
        die("fatal error", reason);
    }
}

/* The number of a topic's partitions. */
static inline int partitions_of(rd_kafka_t *rk, const char *topic) {
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

/* A number from the command line inside its limits. */
static inline int64_t number(const char *text, int64_t least, int64_t most) {
    char *end;
    long long value = strtoll(text, &end, 10);
    if (*end != '\0' || value < least || value > most) die(text, "is not a number in range");
    return value;
}

#endif
