//! What the operating system says of this process, read from /proc. Elsewhere than on Linux the numbers are left out.

use std::fs;

/// The kernel gives times to user space in hundredths of a second, on every architecture (USER_HZ).
const TICKS_PER_SECOND: f64 = 100.0;

/// Use of resources since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Processor time of all threads, user and system.
    pub cpu_seconds: Option<f64>,
    /// Memory that is really there.
    pub resident_bytes: Option<u64>,
    /// File descriptors.
    pub open_files: Option<u64>,
}

/// Reads it now.
pub fn usage() -> Usage {
    Usage {
        cpu_seconds: fs::read_to_string("/proc/self/stat")
            .ok()
            .and_then(|stat| cpu_seconds(&stat)),
        resident_bytes: fs::read_to_string("/proc/self/status")
            .ok()
            .and_then(|status| resident_bytes(&status)),
        open_files: fs::read_dir("/proc/self/fd")
            .ok()
            .map(|files| files.count() as u64),
    }
}

/// Fields 14 and 15 of proc_pid_stat(5), counted from behind the name, which may hold blanks and brackets.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) as f64 / TICKS_PER_SECOND)
}

/// The line `VmRSS:` of proc_pid_status(5), in KiB there.
fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 1 2 3 4 150 50 0 0 20 0 9 0 1 2 3";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(cpu_seconds("42 (a"), None);
    }

    #[test]
    fn resident_memory_is_given_in_bytes() {
        assert_eq!(
            resident_bytes("VmPeak:\t9 kB\nVmRSS:\t  2048 kB\n"),
            Some(2 << 20)
        );
        assert_eq!(resident_bytes("VmPeak:\t9 kB\n"), None);
    }
}
