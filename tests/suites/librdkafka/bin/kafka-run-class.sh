#!/bin/sh
# Stands for the script of Kafka's distribution that librdkafka's Java programs are run by; KAFKA_LIB holds its jars.
exec java -cp "$CLASSPATH:$KAFKA_LIB/*" "$@"
