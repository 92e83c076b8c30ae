//! What was tried for targets that are not met, and what limits them: said on the page beside the numbers.

/// Throughput and CPU of producing.
pub const PRODUCE: &str = "throughput: the disk, which gets every byte twice (write-ahead log and object), and both cores, of which the client takes \
    more than the broker. The bare loop shows what is left to gain. Kafka leaves its writing to the page cache and to later. CPU: 1.4 times the bare \
    loop's on a day when processors were fast, twice on one when they were slow. Tried: everything through the page cache (1.5 times the CPU), a \
    second checksum a byte less, large batches that stay where they were read (half of the CPU), buffers that are filled again, uploads that never \
    read back.";

/// CPU of consuming.
pub const CONSUME: &str = "CPU: the kernel's, in the direct read, in the copy to the socket and for both ends of the loopback. A loop that reads, \
    compares checksums and sends is no more ahead of Kafka than its column says, and hardly more without checksums: no broker can be ahead three \
    times that reads from a disk and sends through this loopback. Tried: reads through the page cache, which take 1.4 times as much when it holds \
    the data and four times when not; reads into huge pages (a fifth less, and 1.4 times the throughput); splicing from the file to the socket (1.5 \
    times as much as reading and sending).";

/// Memory at full load.
pub const MEMORY: &str = "the tail cache (64 MiB) and the block cache (48 MiB), what producers have on the way (16 MiB in front of the write-ahead log, \
    and a megabyte more each), and spare buffers for all of them. Tried: large buffers for reading mapped by themselves (a quarter less); a fourth of \
    the bytes in front of the write-ahead log (10 MB less, no less throughput); a block cache of 48 MiB and not of 64, of which reads ahead get as \
    much as before (18 MB less, no less throughput); a tail cache of 96 MiB (30 MB more, no less CPU); half of the spare buffers, and half of that (8 \
    MB less, then no less); an allocator that keeps what is free for a second (45 MB more); a cache that gives half of itself up while only the \
    other one is used (no less: what it gives up lies among what it keeps). Kafka's number leaves out the page cache, which it cannot do without, and \
    differs from day to day.";

/// Small batches.
pub const SMALL: &str = "turns differ by more than what is missing. Tried: blocks of many sizes, half of whose bytes went to fresh pages (an eighth more CPU).";

/// Very many partitions.
pub const PARTITIONS: &str = "both cores are busy. Of what a GB costs more with very many partitions, two thirds are the client's (0.3 CPU-seconds on top of \
    0.9), and one third the broker's (0.15 on top of 1.4): what an upload does for each stream that has anything in it, a cut, an index entry and a \
    row of the manifest. Bytes written to disk are the same.";

/// Reading a backlog.
pub const CATCH_UP: &str = "the disk, as the row of direct reads says, or, where the disk gives more, both cores: broker and client together take about \
    two CPU-seconds a GB, most of them the client's. Kafka's reads go through the page cache, and change from turn to turn with what the kernel reads ahead. \
    Tried: reads into huge pages, of which a disk's request names few (1.4 times the throughput).";

/// Latency beside a reader of the backlog.
pub const MIXED: &str = "the disk: a flush waits for the one read that was there before it. Reads give way to flushes that were late, one at a time and with \
    pauses, and uploads go no faster than need be; one flush in seventy is late all the same, or the reader would stand still.";

/// Latency at a fixed rate.
pub const LATENCY: &str = "two cores that broker, producer and consumer share: a flush of somebody else on the same disk, in the rows below, takes a small \
    part of it. Tried: objects written at a few times the rate of appends and not as fast as the disk takes them (a third of the 99th percentile \
    before), the processor left to others for a millisecond after each mebibyte of an object in the making (no less).";
