//! What is measured, as data: each workload has a name, a stage (the broker's life in which it runs), and its targets.

use super::limits;
use super::metric::*;
use super::party::Party;
use crate::brokers::Peer;
use anyhow::Context;

/// A broker's life from empty storage to its end. Within a turn brokers alternate stage by stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Large and plain: produce and consume as fast as it goes.
    Throughput,
    /// The same in other sizes, keys, codecs and partitions.
    Shapes,
    /// Fixed rates.
    Latency,
    /// Very many partitions.
    Partitions,
    /// Much more data than memory.
    Backlog,
}

impl Stage {
    /// In the order in which they run.
    pub const ALL: [Self; 5] = [
        Self::Throughput,
        Self::Shapes,
        Self::Latency,
        Self::Partitions,
        Self::Backlog,
    ];

    /// For paths and for the terminal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::Shapes => "shapes",
            Self::Latency => "latency",
            Self::Partitions => "partitions",
            Self::Backlog => "backlog",
        }
    }
}

/// Which workloads a run takes when none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// A quarter of an hour in two turns.
    Usual,
    /// Everything.
    All,
}

/// Whether the Kafka that flushes takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flushing {
    Always,
    WhenAll,
    Never,
}

/// What a workload does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Memory of a broker that was just started. Before the warm-up, so it comes first in its stage.
    MemoryIdle,
    /// The most memory so far.
    MemoryPeak,
    /// As fast as it goes.
    Produce {
        /// Bytes of a record.
        size: u32,
        /// Clients.
        producers: u32,
        /// Partitions of the topic.
        partitions: u32,
        /// More arguments for the load program.
        options: &'static [&'static str],
    },
    /// Everything that the workload of this name has produced, from the beginning.
    Consume {
        /// Name of the producing workload.
        after: &'static str,
    },
    /// One producer at a fixed rate, and consumers that read as it comes.
    Rate {
        /// Records a second, of 1 KiB.
        rate: u32,
        /// Consumers, each of which reads everything.
        readers: u32,
    },
    /// Kafka's own ProducerPerformance.
    JavaProduce,
    /// Kafka's own ConsumerPerformance.
    JavaConsume,
    /// Throughput with very many partitions against few.
    Partitions,
    /// Produces the backlog.
    Fill,
    /// Reads the backlog from disk, once.
    CatchUp,
    /// Produces at a fixed rate, without and beside a reader of the backlog.
    Mixed,
    /// kill -9, and how long until the broker works again.
    Restart,
}

/// One row group of the result.
pub struct Workload {
    /// For `--only`.
    pub name: &'static str,
    /// For readers.
    pub about: &'static str,
    /// Where it runs.
    pub stage: Stage,
    /// What it does.
    pub work: Work,
    /// What its metrics are to reach.
    pub targets: &'static [(&'static Metric, Target)],
    /// What was tried for a target that is not met, and what limits it.
    pub limit: &'static str,
    set: Set,
    flushing: Flushing,
    /// Workloads that must have run in the same stage before.
    needs: &'static [&'static str],
}

/// What most rows have.
const USUAL: Workload = Workload {
    name: "",
    about: "",
    stage: Stage::Throughput,
    work: Work::MemoryIdle,
    targets: &[],
    limit: "",
    set: Set::Usual,
    flushing: Flushing::WhenAll,
    needs: &[],
};

const fn produce(size: u32, producers: u32, partitions: u32, options: &'static [&'static str]) -> Work {
    Work::Produce {
        size,
        producers,
        partitions,
        options,
    }
}

/// Partitions of a topic, where nothing else is said.
pub const PARTITIONS: u32 = 6;

const KIB: u32 = 1024;

static PRODUCE_TARGETS: &[(&Metric, Target)] = &[(&RATE, Target::Ahead(2.0)), (&CPU_GB, Target::Ahead(3.0))];

/// In the order in which they run.
pub static WORKLOADS: &[Workload] = &[
    Workload {
        name: "memory-idle",
        about: "a broker that has nothing to do yet",
        work: Work::MemoryIdle,
        targets: &[(&MEMORY_IDLE, Target::Ahead(10.0))],
        ..USUAL
    },
    Workload {
        name: "produce-1",
        about: "produce 1 KiB records, 1 producer",
        work: produce(KIB, 1, PARTITIONS, &[]),
        targets: PRODUCE_TARGETS,
        limit: limits::PRODUCE,
        flushing: Flushing::Always,
        ..USUAL
    },
    Workload {
        name: "produce-10",
        about: "produce 1 KiB records, 10 producers",
        work: produce(KIB, 10, PARTITIONS, &[]),
        targets: PRODUCE_TARGETS,
        limit: limits::PRODUCE,
        flushing: Flushing::Always,
        ..USUAL
    },
    Workload {
        name: "consume",
        about: "consume the records of the 10 producers from the beginning, 1 consumer",
        work: Work::Consume { after: "produce-10" },
        targets: &[(&CPU_GB, Target::Ahead(3.0))],
        limit: limits::CONSUME,
        flushing: Flushing::Always,
        needs: &["produce-10"],
        ..USUAL
    },
    Workload {
        name: "java-produce",
        about: "Kafka's own ProducerPerformance, 1 KiB records, acks=all",
        work: Work::JavaProduce,
        ..USUAL
    },
    Workload {
        name: "java-consume",
        about: "Kafka's own ConsumerPerformance, the same records",
        work: Work::JavaConsume,
        needs: &["java-produce"],
        ..USUAL
    },
    Workload {
        name: "memory-load",
        about: "memory over all of the above",
        work: Work::MemoryPeak,
        targets: &[(&MEMORY_PEAK, Target::Ahead(3.0))],
        limit: limits::MEMORY,
        flushing: Flushing::Always,
        needs: &["produce-1", "produce-10", "consume"],
        ..USUAL
    },
    Workload {
        name: "produce-100b",
        about: "produce 100-byte records, 10 producers",
        stage: Stage::Shapes,
        work: produce(100, 10, PARTITIONS, &[]),
        flushing: Flushing::Always,
        ..USUAL
    },
    Workload {
        name: "produce-10k",
        about: "produce 10 KiB records, 10 producers",
        stage: Stage::Shapes,
        work: produce(10 * KIB, 10, PARTITIONS, &[]),
        ..USUAL
    },
    Workload {
        name: "small-keyed",
        about: "produce 100-byte records with keys, linger 0, 100 partitions, 10 producers",
        stage: Stage::Shapes,
        work: produce(100, 10, 100, &["keys=100000", "linger.ms=0"]),
        targets: &[(&RECORDS_CPU, Target::Ahead(3.0))],
        limit: limits::SMALL,
        ..USUAL
    },
    Workload {
        name: "produce-lz4",
        about: "produce 1 KiB records of text, lz4, 10 producers; bytes before compression",
        stage: Stage::Shapes,
        work: produce(KIB, 10, PARTITIONS, &["compression.type=lz4"]),
        ..USUAL
    },
    Workload {
        name: "produce-zstd",
        about: "produce 1 KiB records of text, zstd, 10 producers; bytes before compression",
        stage: Stage::Shapes,
        work: produce(KIB, 10, PARTITIONS, &["compression.type=zstd"]),
        ..USUAL
    },
    Workload {
        name: "produce-p1",
        about: "produce 1 KiB records to 1 partition, 1 producer",
        stage: Stage::Shapes,
        work: produce(KIB, 1, 1, &["queue.buffering.max.kbytes=16384"]),
        set: Set::All,
        ..USUAL
    },
    Workload {
        name: "produce-p100",
        about: "produce 1 KiB records to 100 partitions, 10 producers",
        stage: Stage::Shapes,
        work: produce(KIB, 10, 100, &[]),
        set: Set::All,
        ..USUAL
    },
    Workload {
        name: "latency-1000",
        about: "1,000 records of 1 KiB a second, 1 consumer",
        stage: Stage::Latency,
        work: Work::Rate {
            rate: 1_000,
            readers: 1,
        },
        flushing: Flushing::Always,
        ..USUAL
    },
    Workload {
        name: "latency-10000",
        about: "10,000 records of 1 KiB a second, 1 consumer",
        stage: Stage::Latency,
        work: Work::Rate {
            rate: 10_000,
            readers: 1,
        },
        flushing: Flushing::Always,
        ..USUAL
    },
    Workload {
        name: "latency-20000",
        about: "20,000 records of 1 KiB a second, 1 consumer",
        stage: Stage::Latency,
        work: Work::Rate {
            rate: 20_000,
            readers: 1,
        },
        limit: limits::LATENCY,
        targets: &[
            (&READ_P50, Target::Ahead(2.0)),
            (&READ_P99, Target::Ahead(2.0)),
            (&READ_P999, Target::Ahead(2.0)),
        ],
        flushing: Flushing::Always,
        ..USUAL
    },
    Workload {
        name: "tail-1",
        about: "5,000 records of 1 KiB a second, 1 consumer",
        stage: Stage::Latency,
        work: Work::Rate {
            rate: 5_000,
            readers: 1,
        },
        ..USUAL
    },
    Workload {
        name: "tail-10",
        about: "5,000 records of 1 KiB a second, 10 consumers that read everything",
        stage: Stage::Latency,
        work: Work::Rate {
            rate: 5_000,
            readers: 10,
        },
        ..USUAL
    },
    Workload {
        name: "partitions",
        about: "produce 1 KiB records in batches of 64, 10 producers with a topic each: very many partitions and 10",
        stage: Stage::Partitions,
        work: Work::Partitions,
        limit: limits::PARTITIONS,
        targets: &[(&KEPT, Target::AtLeast(95.0))],
        set: Set::All,
        flushing: Flushing::Never,
        ..USUAL
    },
    Workload {
        name: "fill",
        about: "produce the backlog: 1 KiB records, 4 producers, and what reaches the disk until it is quiet again",
        stage: Stage::Backlog,
        work: Work::Fill,
        targets: &[(&WRITTEN, Target::AtMost(2.2))],
        flushing: Flushing::Never,
        ..USUAL
    },
    Workload {
        name: "catch-up",
        about: "consume the backlog from disk, 1 consumer, the page cache dropped before",
        stage: Stage::Backlog,
        work: Work::CatchUp,
        limit: limits::CATCH_UP,
        targets: &[(&RATE, Target::Ahead(2.0)), (&OF_DIRECT, Target::AtLeast(60.0))],
        flushing: Flushing::Never,
        needs: &["fill"],
        ..USUAL
    },
    Workload {
        name: "mixed",
        about: "produce 5,000 records of 1 KiB a second, without and beside a consumer that reads the backlog from disk",
        stage: Stage::Backlog,
        work: Work::Mixed,
        limit: limits::MIXED,
        targets: &[(&P99_TIMES, Target::AtMost(1.05))],
        flushing: Flushing::Never,
        needs: &["fill"],
        ..USUAL
    },
    Workload {
        name: "restart",
        about: "start after kill -9 with the backlog on disk",
        stage: Stage::Backlog,
        work: Work::Restart,
        targets: &[(&FIRST_ACK, Target::AtMost(1.0))],
        flushing: Flushing::Never,
        needs: &["fill"],
        ..USUAL
    },
];

impl Workload {
    /// The workload of this name.
    pub fn named(name: &str) -> anyhow::Result<&'static Self> {
        let found = WORKLOADS.iter().find(|workload| workload.name == name);
        found.with_context(|| {
            let names: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name).collect();
            format!("no workload \"{name}\"; there are {}", names.join(", "))
        })
    }

    /// Whether this party takes part.
    pub fn is_for(&self, party: Party, set: Set) -> bool {
        match (party, self.flushing) {
            (Party::BareLoop, _) => self.has_bare_loop(),
            (Party::Broker(Peer::Millstream | Peer::Kafka), _) => true,
            (Party::Broker(Peer::KafkaFlushing), Flushing::Always) => true,
            (Party::Broker(Peer::KafkaFlushing), Flushing::WhenAll) => set == Set::All,
            (Party::Broker(Peer::KafkaFlushing), Flushing::Never) => false,
        }
    }

    /// Whether a loop that only moves bytes says anything about it: as fast as it goes, large and plain.
    fn has_bare_loop(&self) -> bool {
        let moves_bytes = matches!(self.work, Work::Produce { .. } | Work::Consume { .. });
        self.stage == Stage::Throughput && moves_bytes
    }

    /// Whether its numbers hang on single events, so that it may want more turns than others.
    pub fn is_at_fixed_rate(&self) -> bool {
        matches!(self.work, Work::Rate { .. })
    }

    /// Whether a run without `--only` takes it.
    pub fn is_in(&self, set: Set) -> bool {
        set == Set::All || self.set == Set::Usual
    }
}

/// The workloads that were asked for by name, with those that they need; or all of a set.
pub fn select(only: Option<&str>, set: Set) -> anyhow::Result<Vec<&'static Workload>> {
    let Some(only) = only else {
        return Ok(WORKLOADS.iter().filter(|workload| workload.is_in(set)).collect());
    };
    let asked: Vec<&Workload> = only
        .split(',')
        .map(Workload::named)
        .collect::<anyhow::Result<_>>()?;
    let is_needed = |name: &str| {
        asked
            .iter()
            .any(|workload| workload.name == name || workload.needs.contains(&name))
    };
    Ok(WORKLOADS
        .iter()
        .filter(|workload| is_needed(workload.name))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_workload_needs_has_run_before_it_in_the_same_stage_and_needs_nothing_itself() {
        for (at, workload) in WORKLOADS.iter().enumerate() {
            for need in workload.needs {
                let found = WORKLOADS[..at]
                    .iter()
                    .find(|earlier| earlier.name == *need)
                    .unwrap_or_else(|| panic!("{} needs {need} before it", workload.name));
                assert_eq!(found.stage, workload.stage);
                let closed = found.needs.iter().all(|name| workload.needs.contains(name));
                assert!(closed, "{} needs what {need} needs", workload.name);
            }
        }
    }

    #[test]
    fn a_party_takes_part_in_whatever_its_workloads_need() {
        for party in Party::ALL {
            for workload in WORKLOADS.iter().filter(|w| w.is_for(party, Set::Usual)) {
                for need in workload.needs {
                    let needed = Workload::named(need).expect("it is there");
                    assert!(needed.is_for(party, Set::Usual), "{} of {party:?}", workload.name);
                }
            }
        }
    }

    #[test]
    fn a_name_brings_what_it_needs_in_the_order_of_the_table() {
        let names: Vec<&str> = select(Some("consume"), Set::Usual)
            .expect("it is there")
            .iter()
            .map(|workload| workload.name)
            .collect();
        assert_eq!(names, ["produce-10", "consume"]);
        assert!(select(Some("bananas"), Set::Usual).is_err());
    }

    #[test]
    fn stages_come_in_their_order_and_idle_memory_first() {
        let at = |stage| Stage::ALL.iter().position(|s| *s == stage);
        assert!(
            WORKLOADS
                .windows(2)
                .all(|pair| at(pair[0].stage) <= at(pair[1].stage))
        );
        assert!(WORKLOADS[0].work == Work::MemoryIdle);
        assert_eq!(WORKLOADS.iter().filter(|w| w.work == Work::MemoryIdle).count(), 1);
    }
}
