"""Kafka's tools for whoever runs a cluster: features, quorum, reassignments, quotas, client metrics.

What they print is compared where it does not depend on the cluster: every case passes on a fresh Apache Kafka of one node.
"""

from __future__ import annotations

import json
import re
import tempfile
import uuid
from collections.abc import Callable

from harness import Report, check, check_equal, wait_until
from kafka_tools_client import KafkaToolsClient
from stock_client import Record, bootstrap_from_arguments

CONFIGS = "kafka.admin.ConfigCommand"


class AdminCases:
    """One tool a case; names carry a suffix of their own."""

    def __init__(self, client: KafkaToolsClient) -> None:
        self.client = client
        self.suffix = uuid.uuid4().hex[:8]

    def run_all(self) -> None:
        report = Report("kafka-admin-tools", self.client.version)
        cases: list[Callable[[], None]] = [
            self.api_versions,
            self.compatibility,
            self.features,
            self.quorum,
            self.log_dirs,
            self.reassign_partitions,
            self.elect_leaders,
            self.client_quotas,
            self.ip_quotas,
            self.client_metrics,
            self.broker_configs,
            self.reset_offsets,
        ]
        for case in cases:
            report.run(case.__name__, case)
        report.finish()

    def topic(self, what: str, partitions: int = 1) -> str:
        name = f"{what}-admin-{self.suffix}"
        self.client.create_topic(name, partitions)
        return name

    def broker_id(self) -> int:
        said = self.client.tool("BrokerApiVersionsCommand")
        found = re.search(r"\(id: (\d+) ", said)
        check(found is not None, f"BrokerApiVersionsCommand names a broker: {said[:200]!r}")
        return int(found[1]) if found else -1

    def api_versions(self) -> None:
        said = self.client.tool("BrokerApiVersionsCommand")
        for api in ("Produce(0)", "DescribeClientQuotas(48)", "DescribeQuorum(55)", "ListConfigResources(74)"):
            line = next((line for line in said.splitlines() if api in line), "")
            check("usable:" in line, f"{api} is usable: {line!r}")

    def compatibility(self) -> None:
        """Kafka's own check of what a broker can do, with everything that a current one can."""
        yes = (
            "--offsets-for-times-supported",
            "--cluster-id-supported",
            "--create-topics-supported",
            "--describe-configs-supported",
            "--idempotent-producer-supported",
        )
        arguments = [part for name in yes for part in (name, "true")]
        said = self.client.tool(
            "ClientCompatibilityTest",
            *("--topic", self.topic("compatible"), "--num-cluster-nodes", "1", *arguments),
            *("--expect-record-too-large-exception", "false", "--describe-acls-supported", "true"),
        )
        check("SUCCESS" in said, f"ClientCompatibilityTest said {said[-200:]!r}")

    def features(self) -> None:
        said = self.client.tool("FeatureCommand", "describe")
        found = re.search(r"Feature: metadata.version\s+SupportedMinVersion: (\S+)\s+SupportedMaxVersion: (\S+)", said)
        check(found is not None, f"metadata.version is described: {said!r}")
        check_equal(found[1] if found else "", "3.3-IV3", "lowest metadata.version")
        # The level that is in force can be chosen again.
        level = re.search(r"Feature: metadata.version.*FinalizedVersionLevel: (\S+)", said)
        said = self.client.tool("FeatureCommand", "upgrade", "--metadata", level[1] if level else "")
        check("metadata.version was upgraded" in said, f"FeatureCommand said {said!r}")

    def quorum(self) -> None:
        said = self.client.tool("MetadataQuorumCommand", "describe", "--status")
        status = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
        check_equal(int(status["LeaderId"]), self.broker_id(), "leader")
        check(int(status["HighWatermark"]) > 0, "the metadata has a length")
        check_equal(status["MaxFollowerLag"].strip(), "0", "lag")
        said = self.client.tool("MetadataQuorumCommand", "describe", "--replication")
        check("Leader" in said, f"MetadataQuorumCommand said {said!r}")

    def log_dirs(self) -> None:
        name = self.topic("dirs")
        self.client.produce(name, [Record(b"x" * 1000, b"k")])
        said = self.client.tool("LogDirsCommand", "--describe", "--topic-list", name)
        shown = json.loads(said[said.index("{") :])
        (broker,) = shown["brokers"]
        partitions = [p for directory in broker["logDirs"] for p in directory["partitions"]]
        check_equal([p["partition"] for p in partitions], [f"{name}-0"], "partitions")
        check(partitions[0]["size"] > 1000, "their size")

    def _with_json(self, tool: str, option: str, plan: object, *arguments: str) -> str:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(plan, file)
            file.flush()
            return self.client.tool(tool, option, file.name, *arguments)

    def reassign_partitions(self) -> None:
        name, broker = self.topic("moved", 2), self.broker_id()
        tool = "reassign.ReassignPartitionsCommand"
        topics = {"topics": [{"topic": name}], "version": 1}
        said = self._with_json(tool, "--topics-to-move-json-file", topics, "--generate", "--broker-list", str(broker))
        plan = json.loads(said.splitlines()[-1])
        check_equal([p["replicas"] for p in plan["partitions"]], [[broker]] * 2, "proposed replicas")
        said = self._with_json(tool, "--reassignment-json-file", plan, "--execute", "--throttle", "1000000")
        check("Successfully started partition reassignments" in said, f"--execute said {said!r}")
        said = self._with_json(tool, "--reassignment-json-file", plan, "--verify")
        for partition in range(2):
            check(f"Reassignment of partition {name}-{partition} is completed" in said, f"--verify said {said!r}")
        check("No partition reassignments found" in self.client.tool(tool, "--list"), "nothing under way")

    def elect_leaders(self) -> None:
        name = self.topic("elected")
        preferred = ("--election-type", "preferred")
        self.client.tool("LeaderElectionCommand", *preferred, "--all-topic-partitions")
        said = self.client.tool("LeaderElectionCommand", *preferred, "--topic", name, "--partition", "0")
        check(f"Valid replica already elected for partitions {name}-0" in said, f"the tool said {said!r}")

    def _alter(self, entity: tuple[str, ...], change: str, what: str) -> None:
        self.client.tool(CONFIGS, "--alter", *entity, change, what)

    def client_quotas(self) -> None:
        user, name = f"user-{self.suffix}", f"client-{self.suffix}"
        entity = ("--entity-type", "users", "--entity-name", user, "--entity-type", "clients", "--entity-name", name)
        self._alter(entity, "--add-config", "producer_byte_rate=1048576,request_percentage=75.5")
        said = self.client.tool(CONFIGS, "--describe", *entity)
        check("producer_byte_rate=1048576.0" in said and "request_percentage=75.5" in said, f"described as {said!r}")
        check(f"user-principal '{user}'" in said and f"client-id '{name}'" in said, f"entity in {said!r}")
        self._alter(entity, "--delete-config", "producer_byte_rate,request_percentage")
        said = self.client.tool(CONFIGS, "--describe", *entity)
        check("producer_byte_rate" not in said, f"still described: {said!r}")
        default = ("--entity-type", "clients", "--entity-default")
        self._alter(default, "--add-config", "consumer_byte_rate=1073741824")
        said = self.client.tool(CONFIGS, "--describe", *default)
        check("default client-id" in said and "consumer_byte_rate=1.073741824E9" in said, f"described as {said!r}")
        self._alter(default, "--delete-config", "consumer_byte_rate")

    def ip_quotas(self) -> None:
        entity = ("--entity-type", "ips", "--entity-name", "10.1.2.3")
        self._alter(entity, "--add-config", "connection_creation_rate=10")
        said = self.client.tool(CONFIGS, "--describe", *entity)
        check("connection_creation_rate=10.0" in said, f"described as {said!r}")
        self._alter(entity, "--delete-config", "connection_creation_rate")

    def client_metrics(self) -> None:
        name = f"metrics-{self.suffix}"
        tool = "ClientMetricsCommand"
        arguments = ("--metrics", "org.apache.kafka.producer.", "--interval", "1000", "--match", "client_id=none-.*")
        self.client.tool(tool, "--alter", "--name", name, *arguments)
        check(name in self.client.tool(tool, "--list").split(), "the subscription in the list")
        said = self.client.tool(tool, "--describe", "--name", name)
        for wanted in ("interval.ms=1000", "metrics=org.apache.kafka.producer.", "match=client_id=none-.*"):
            check(wanted in said, f"{wanted} in {said!r}")
        self.client.tool(tool, "--delete", "--name", name)
        wait_until(lambda: name not in self.client.tool(tool, "--list").split(), "the subscription to go")

    def broker_configs(self) -> None:
        entity = ("--entity-type", "brokers", "--entity-default")
        self._alter(entity, "--add-config", "max.connections.per.ip=5000")
        said = self.client.tool(CONFIGS, "--describe", *entity)
        check("max.connections.per.ip=5000" in said, f"described as {said!r}")
        self._alter(entity, "--delete-config", "max.connections.per.ip")

    def reset_offsets(self) -> None:
        name, group = self.topic("reset"), f"reset-{self.suffix}"
        self.client.produce(name, [Record(b"%d" % number, b"k") for number in range(10)])
        self.client.read_in_group(group, name, 10)
        tool = "consumer.group.ConsumerGroupCommand"
        reset = ("--reset-offsets", "--group", group, "--topic", name, "--to-offset", "4", "--execute")
        said = self.client.tool(tool, *reset)
        check(re.search(rf"{group}\s+{name}\s+0\s+4", said) is not None, f"the tool said {said!r}")
        check_equal(len(self.client.read_in_group(group, name, 6)), 6, "records after the reset")


if __name__ == "__main__":
    AdminCases(KafkaToolsClient(bootstrap_from_arguments())).run_all()
