//! Folded stacks as a picture and as tables: the kinds of work that the time goes to, and the functions at the top.

use crate::process::create;
use anyhow::{Context, bail};
use inferno::flamegraph::color::MultiPalette;
use inferno::flamegraph::{self, Options, Palette};
use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

/// Frames narrower than this are left out of the picture: the file stays small, and nobody could read them. In percent.
const WIDTH_PERCENT_MIN: f64 = 0.5;

const FUNCTIONS_SHOWN: usize = 20;
const NAME_CHARACTERS_MAX: usize = 90;

/// Marks frames of the kernel.
const KERNEL: &str = "_[k]";

/// Kinds of work by what a function's name contains, the first that fits. What the kernel does for a copy or for a packet is found
/// before the kernel as such.
const KINDS: &[(&str, &[&str])] = &[
    (
        "copies between kernel and broker",
        &[
            "copy_user",
            "copy_to_iter",
            "copy_from_iter",
            "copyin",
            "copyout",
            "rep_movs",
            "copy_page_",
            "check_object_size",
        ],
    ),
    ("copies inside the broker", &["memcpy", "memmove", "memset"]),
    ("checksums", &["crc32", "xxh3", "xxhash"]),
    (
        "pages: clearing, mapping, page cache",
        &[
            "clear_page",
            "folio",
            "filemap",
            "alloc_pages",
            "page_fault",
            "handle_mm",
            "unmap",
            "tlb",
            "free_unref",
            "get_page",
            "zap_",
            "lru_",
            "mas_",
            "memcg",
            "frozen_pages",
            "madvise",
            "mmap",
        ],
    ),
    (
        "file system and disk",
        &[
            "ext4",
            "jbd2",
            "blk_",
            "bio_",
            "submit_bio",
            "virtblk",
            "virtio",
            "iomap",
            "iowrite",
            "gup_",
            "xfs_",
            "dio_",
            "kiocb",
            "bvec",
            "virtqueue",
            "vring",
            "find_get_block",
            "buffer_head",
            "recently_deleted",
        ],
    ),
    (
        "network in the kernel",
        &[
            "tcp_",
            "ip_",
            "sock",
            "skb",
            "net_",
            "inet",
            "loopback",
            "dev_queue",
            "napi",
            "csum",
            "ipv4",
            "nf_",
        ],
    ),
    (
        "waking and waiting",
        &[
            "futex",
            "schedule",
            "wake_up",
            "wakeup",
            "task_switch",
            "epoll",
            "ep_",
            "eventfd",
            "sched_",
            "dequeue_",
            "enqueue_",
            "switch_to",
            "update_curr",
            "psi_",
        ],
    ),
    (
        "interrupts, and work for which they were held off",
        &["softirq", "unlock_irq", "hrtimer", "apic_"],
    ),
    (
        "small memory of the kernel",
        &["kmem_cache", "kmalloc", "kfree", "slab", "rcu_", "_rcu"],
    ),
    ("memory allocator", &["mi_", "malloc", "mimalloc", "_free"]),
    (
        "entering and leaving the kernel",
        &[
            "syscall",
            "entry_",
            "SYSCALL",
            "exit_to_user",
            "__libc_",
            "__GI_",
            "asynccancel",
        ],
    ),
    ("the rest of the kernel", &[KERNEL]),
    ("tokio", &["tokio"]),
    ("Millstream: wire codec", &["millstream_kafka_wire"]),
    ("Millstream: log", &["millstream_log"]),
    ("Millstream: broker", &["millstream_broker"]),
    ("Millstream: Kafka front end", &["millstream_kafka"]),
    ("Millstream: the rest", &["millstream"]),
    ("the store of metadata", &["redb"]),
    (
        "collections, futures and the like",
        &[
            "core::",
            "alloc::",
            "std::",
            "bytes::",
            "futures_",
            "arc_swap",
            "parking_lot",
            "hashbrown",
        ],
    ),
];
const OTHER: &str = "other";

/// Draws the flame graph.
pub fn draw(folded: &str, load: &str, path: &Path) -> anyhow::Result<()> {
    let mut options = Options::default();
    options.title = format!("Millstream's CPU time: {load}");
    options.min_width = WIDTH_PERCENT_MIN;
    options.colors = Palette::Multi(MultiPalette::Rust);
    // The same picture for the same stacks.
    options.deterministic = true;
    let file = create(path)?;
    flamegraph::from_lines(&mut options, folded.lines(), file)
        .with_context(|| format!("cannot draw {}", path.display()))
}

/// The time by kind of work, and by function.
pub fn tables(folded: &str) -> anyhow::Result<String> {
    let own = own_samples(folded)?;
    let all: u64 = own.values().sum();
    let mut kinds: HashMap<&str, u64> = HashMap::new();
    for (function, samples) in &own {
        *kinds.entry(kind(function)).or_default() += samples;
    }
    let mut text = format!("{all} samples.\n\n| kind of work | share |\n|---|---|\n");
    for (name, samples) in sorted(kinds) {
        writeln!(text, "| {name} | {} |", percent(samples, all))?;
    }
    text += "\n| function, without what it calls | share |\n|---|---|\n";
    for (name, samples) in sorted(own).into_iter().take(FUNCTIONS_SHOWN) {
        writeln!(text, "| `{}` | {} |", shown(name), percent(samples, all))?;
    }
    Ok(text + "\n")
}

/// Samples in which each function was the innermost.
fn own_samples(folded: &str) -> anyhow::Result<HashMap<&str, u64>> {
    let mut own: HashMap<&str, u64> = HashMap::new();
    for line in folded.lines() {
        let (stack, samples) = line.rsplit_once(' ').context("a stack has a number")?;
        let function = stack.rsplit(';').next().unwrap_or(stack);
        *own.entry(function).or_default() += samples.parse::<u64>()?;
    }
    if own.is_empty() {
        bail!("perf has seen nothing");
    }
    Ok(own)
}

fn kind(function: &str) -> &'static str {
    let fits = |(_, parts): &&(&str, &[&str])| parts.iter().any(|part| function.contains(part));
    KINDS.iter().find(fits).map_or(OTHER, |(name, _)| name)
}

/// The largest first; equals by name, so that the table is stable.
fn sorted(counts: HashMap<&str, u64>) -> Vec<(&str, u64)> {
    let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts
}

fn percent(part: u64, all: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / all as f64)
}

/// Cut where it gets long, and without what would end a cell of a table.
fn shown(name: &str) -> String {
    let name = name.replace('|', "/").replace('`', "'");
    match name.chars().count() > NAME_CHARACTERS_MAX {
        true => name.chars().take(NAME_CHARACTERS_MAX).collect::<String>() + "...",
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDED: &str = "\
        broker;main;tokio::run;copy_user_enhanced_fast_string_[k] 6\n\
        broker;main;tokio::run 1\n\
        broker;main;millstream_kafka_wire::decode 1\n\
        broker;main;read;tcp_recvmsg_[k];copy_user_enhanced_fast_string_[k] 2\n";

    #[test]
    fn time_is_summed_by_the_innermost_function_and_its_kind() {
        let tables = tables(FOLDED).expect("stacks");
        for row in [
            "10 samples.",
            "| copies between kernel and broker | 80.0 % |",
            "| tokio | 10.0 % |",
            "| Millstream: wire codec | 10.0 % |",
            "| `copy_user_enhanced_fast_string_[k]` | 80.0 % |",
        ] {
            assert!(tables.contains(row), "{row} in {tables}");
        }
        assert!(super::tables("").is_err());
    }

    #[test]
    fn a_function_is_of_the_kind_that_it_is_work_for() {
        for (function, expected) in [
            ("__free_frozen_pages_[k]", "pages: clearing, mapping, page cache"),
            ("kmem_cache_free_[k]", "small memory of the kernel"),
            ("recently_deleted_[k]", "file system and disk"),
            (
                "_raw_spin_unlock_irqrestore_[k]",
                "interrupts, and work for which they were held off",
            ),
            ("anything_else_[k]", "the rest of the kernel"),
            ("_mi_page_free_collect", "memory allocator"),
            (
                "<millstream_log::Records as core::iter::Iterator>::next",
                "Millstream: log",
            ),
            (
                "alloc::collections::btree::map::BTreeMap<K,V,A>::remove",
                "collections, futures and the like",
            ),
            ("main", OTHER),
        ] {
            assert_eq!(kind(function), expected, "{function}");
        }
    }

    #[test]
    fn the_same_stacks_give_the_same_small_picture() {
        let folder = std::env::temp_dir().join(format!("millstream-stacks-{}", std::process::id()));
        let paths = ["a.svg", "b.svg"].map(|name| folder.join(name));
        for path in &paths {
            draw(FOLDED, "test", path).expect("a picture");
        }
        let [one, two] = paths.map(|path| std::fs::read_to_string(path).expect("it was drawn"));
        assert!(one == two && one.contains("tcp_recvmsg"));
        std::fs::remove_dir_all(folder).expect("it was there");
    }
}
