//! What was tried for targets that are not met, and what limits them: said on the page beside the numbers.

/// Throughput and CPU of producing.
pub const PRODUCE: &str = "throughput: the disk, which takes about 1 GB/s of direct writes here and gets every byte twice (write-ahead log and \
    object), and both cores, of which the client takes about as much as the broker. Kafka leaves its writing to the page cache and to later. \
    CPU: half of it is the kernel's (receiving over the loopback, direct writes); of the rest, two copies a byte (into the group, and to pages \
    for the object's direct write) and one CRC-32C. Tried: everything through the page cache (1.5 times the CPU), a second checksum a byte less, \
    buffers that are filled again, uploads that never read back.";

/// CPU of consuming.
pub const CONSUME: &str = "CPU: the kernel's copy to the socket and its work for both ends of the loopback (half), the direct read, and the comparison \
    with the checksums (a ninth). Tried: reads through the page cache, which take 1.4 times as much when it holds the data and four times when not.";

/// Memory at full load.
pub const MEMORY: &str = "the tail cache (96 MiB), what producers have on the way (a megabyte each request, five a producer), spare buffers for both, and \
    what the allocator has freed and not given back yet (it waits a second). Tried: giving back at once, 80 MB less for 1.5 times the CPU. \
    Kafka's number leaves out the page cache, which it cannot do without.";

/// Very many partitions.
pub const PARTITIONS: &str = "what an upload does for each stream that has anything in it: a cut, an index entry, a row of the manifest, and one more \
    write when the small parts are merged. An object of 48 MiB holds 5 KiB of each of 10,000 partitions.";

/// Latency beside a reader of the backlog.
pub const MIXED: &str = "the disk. The reader takes nine tenths of what it gives, and the flush of a group waits behind reads that were there before it; \
    this one is throttled in steps of tens of milliseconds besides. Uploads that fall behind make readers wait; a flush that is late does not yet.";

/// Latency at a fixed rate.
pub const LATENCY: &str = "the tail of the disk's flushes and of two cores that broker, producer and consumer share: turns differ more than brokers do.";
