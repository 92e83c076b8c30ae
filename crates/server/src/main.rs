//! The binary `millstream`. Everything is in the library beside it; here stands only what concerns the whole process.

#![forbid(unsafe_code)]

use std::process::ExitCode;

/// Records come and go as millions of small and some large buffers over several threads, which is what this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    millstream_server::main()
}
