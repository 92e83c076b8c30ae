#!/bin/sh
# Stands where Kafka's distribution has its script: librdkafka's tests call it as $KAFKA_PATH/bin/kafka-acls.sh.
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$KAFKA_LIB/*" org.apache.kafka.tools.AclCommand "$@"
