"""Stock Python clients against a broker that asks who they are: librdkafka and kafka-python, by every mechanism."""
import base64
import json
import os
import sys
import time

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient
from confluent_kafka.admin import NewTopic, ResourcePatternType, ResourceType, ScramCredentialInfo, ScramMechanism
from confluent_kafka.admin import UserScramCredentialUpsertion
import kafka

HOST = "localhost"
DIR = sys.argv[1]
SSL, SASL_PLAIN, SASL_SSL = sys.argv[2:5]
CA = {"ssl.ca.location": f"{DIR}/ca.pem"}


def sasl(user, password, mechanism="SCRAM-SHA-512"):
    return {
        "bootstrap.servers": f"{HOST}:{SASL_SSL}", "security.protocol": "SASL_SSL", **CA,
        "sasl.mechanism": mechanism, "sasl.username": user, "sasl.password": password,
    }


def certificate(name):
    return {
        "bootstrap.servers": f"{HOST}:{SSL}", "security.protocol": "SSL", **CA,
        "ssl.certificate.location": f"{DIR}/{name}.pem", "ssl.key.location": f"{DIR}/{name}.key",
    }


def token(text):
    def get(_):
        return text, time.time() + 600
    return {
        "bootstrap.servers": f"{HOST}:{SASL_SSL}", "security.protocol": "SASL_SSL", **CA,
        "sasl.mechanism": "OAUTHBEARER", "oauth_cb": get,
    }


def unsecured(subject):
    """A token that nobody has signed: what the broker is told to take in this run, and never otherwise."""
    def part(claims):
        return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    now = int(time.time())
    return f"{part({'alg': 'none'})}.{part({'sub': subject, 'iat': now, 'exp': now + 600})}."


def round_trip(config, topic, group):
    """Produces one record and reads it back; the error's name otherwise."""
    failures = []
    value = os.urandom(8)
    producer = Producer({**config, "message.timeout.ms": 8000, "error_cb": failures.append})
    producer.produce(topic, value, on_delivery=lambda error, _: error and failures.append(error))
    producer.flush(10)
    names = [failure.name() for failure in failures]
    if names:
        # librdkafka says why a connection ended first, and then that it has none.
        return "_AUTHENTICATION" if "_AUTHENTICATION" in names else names[-1]
    consumer = Consumer({**config, "group.id": group, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    deadline = time.time() + 20
    while time.time() < deadline:
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error():
            consumer.close()
            return message.error().name()
        if message.value() == value:
            consumer.close()
            return "ok"
    consumer.close()
    return "nothing came"


def check(what, found, expected):
    print(f"CASE {what} ok" if found == expected else f"CASE {what} fail {found}")
    if found != expected:
        check.failed = True


check.failed = False


def acl(resource, name, pattern, user, operation, permission=AclPermissionType.ALLOW):
    return AclBinding(resource, name, pattern, f"User:{user}", "*", operation, permission)


def rules(admin):
    literal, prefixed = ResourcePatternType.LITERAL, ResourcePatternType.PREFIXED
    bindings = [
        acl(ResourceType.TOPIC, "open", prefixed, "alice", AclOperation.READ),
        acl(ResourceType.TOPIC, "open", prefixed, "alice", AclOperation.WRITE),
        acl(ResourceType.GROUP, "*", literal, "alice", AclOperation.READ),
        acl(ResourceType.TOPIC, "open-closed", literal, "alice", AclOperation.ALL, AclPermissionType.DENY),
    ]
    for future in admin.create_acls(bindings).values():
        future.result(10)
    every = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY,
                             AclPermissionType.ANY)
    check("rules-listed", len(admin.describe_acls(every).result(10)), len(bindings))


def main():
    admin = AdminClient(sasl("admin", "admin-secret"))
    for future in admin.create_topics([NewTopic("open-t", 1), NewTopic("open-closed", 1), NewTopic("other", 1)]).values():
        future.result(10)
    rules(admin)
    upsert = UserScramCredentialUpsertion("carol", ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), b"carols")
    for future in admin.alter_user_scram_credentials([upsert]).values():
        future.result(10)
    alice = {
        "SCRAM-SHA-512": sasl("alice", "alice-secret"),
        "SCRAM-SHA-256": sasl("alice", "alice-secret", "SCRAM-SHA-256"),
        "PLAIN": sasl("alice", "alice-secret", "PLAIN"),
        "certificate": certificate("alice"),
        "OAUTHBEARER": token(unsecured("alice")),
    }
    for how, config in alice.items():
        check(f"librdkafka-{how}", round_trip(config, "open-t", f"g-{how}"), "ok")
    check("denied", round_trip(alice["PLAIN"], "open-closed", "g"), "TOPIC_AUTHORIZATION_FAILED")
    check("not-allowed", round_trip(alice["PLAIN"], "other", "g"), "TOPIC_AUTHORIZATION_FAILED")
    carol = sasl("carol", "carols", "SCRAM-SHA-256")
    check("without-rights", round_trip(carol, "open-t", "g"), "TOPIC_AUTHORIZATION_FAILED")
    for mechanism in ("PLAIN", "SCRAM-SHA-512"):
        found = round_trip(sasl("alice", "wrong", mechanism), "open-t", "g")
        check(f"wrong-password-{mechanism}", found, "_AUTHENTICATION")
    kafka_python()
    sys.exit(1 if check.failed else 0)


def kafka_python():
    both = {"ssl_cafile": f"{DIR}/ca.pem"}
    ways = {
        "SCRAM-SHA-512": {"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512", "sasl_plain_username": "alice",
                          "sasl_plain_password": "alice-secret", "bootstrap_servers": f"{HOST}:{SASL_SSL}", **both},
        "PLAIN": {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_plain_username": "alice",
                  "sasl_plain_password": "alice-secret", "bootstrap_servers": f"{HOST}:{SASL_PLAIN}"},
        "certificate": {"security_protocol": "SSL", "ssl_certfile": f"{DIR}/alice.pem", "ssl_keyfile": f"{DIR}/alice.key",
                        "bootstrap_servers": f"{HOST}:{SSL}", **both},
    }
    for how, config in ways.items():
        value = os.urandom(8)
        producer = kafka.KafkaProducer(**config)
        producer.send("open-t", value).get(10)
        producer.close()
        consumer = kafka.KafkaConsumer("open-t", group_id=f"p-{how}", auto_offset_reset="earliest",
                                       consumer_timeout_ms=15000, **config)
        found = any(record.value == value for record in consumer)
        consumer.close(autocommit=False)
        check(f"kafka-python-{how}", found, True)


main()
