//! A full disk: what producers are told, what stays readable, and what happens when there is space again.
//!
//! The data directory is a small file system of its own, in memory, mounted where only the broker and this trial see it: a
//! mount namespace that a sleeping process keeps alive over the broker's restarts. That wants root.

use super::findings::{Findings, mebibytes};
use super::tools::{Background, Fields, create_topic, finish, program};
use super::{Plan, must_live, probe};
use crate::brokers::{Broker, Peer, Site};
use crate::process::create;
use crate::shell::run as run_command;
use anyhow::{Context, bail};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const DISK_BYTES: u64 = 300 << 20;

/// A file beside the broker's own, to be removed when the disk is full: as much as a segment of the write-ahead log takes, and less than
/// what waits to be uploaded.
const BALLAST_BYTES: u64 = 64 << 20;

/// Refusals in a row that make a disk full.
const REFUSALS_FULL: &str = "10";

/// Refusals until there is space again: at a tenth of a second each, more than housekeeping takes.
const REFUSALS_PATIENT: &str = "600";

/// What must go through once there is space.
const AFTERWARDS_BYTES: u64 = 16 << 20;

/// The stock client that goes on all the time.
const PATIENT_TOPIC: &str = "patient";
const PATIENT_RATE: &str = "50";
const PATIENT_BYTES: &str = "200";
const SECONDS_MAX: &str = "900";

/// Runs the trial.
pub fn run(plan: &Plan, findings: &mut Findings) -> anyhow::Result<()> {
    if plan.peer != Peer::Millstream {
        findings.skip("Apache Kafka ends itself when its disk is full");
        return Ok(());
    }
    let mut site = plan.site("full-disk")?;
    let disk = match SmallDisk::mount(&site) {
        Ok(disk) => disk,
        Err(error) => {
            findings.skip(&format!("no file system can be mounted here: {error:#}"));
            return Ok(());
        }
    };
    site.launch_by(disk.launcher());
    // Space that was made is to be found within seconds, not half a minute.
    site.set("log-housekeeping-interval", "1s");
    findings.fact("disk", mebibytes(DISK_BYTES));
    disk.run(&["truncate", "-s", "0", "ballast"])?;
    disk.run(&[
        "dd",
        "if=/dev/zero",
        "of=ballast",
        "bs=1M",
        &format!("count={}", BALLAST_BYTES >> 20),
        "status=none",
    ])?;
    let trial = Trial {
        site: &site,
        disk: &disk,
    };
    let outcome = trial.run(findings);
    // The log lies on the real disk; what remains of the data goes with the namespace.
    drop(disk);
    outcome
}

struct Trial<'a> {
    site: &'a Site,
    disk: &'a SmallDisk,
}

impl Trial<'_> {
    fn run(&self, findings: &mut Findings) -> anyhow::Result<()> {
        let (broker, _) = probe::start(self.site)?;
        for topic in ["first", "second", PATIENT_TOPIC] {
            create_topic(self.site, topic, 1)?;
        }
        let bootstrap = self.site.bootstrap();
        let arguments = [
            "produce",
            &bootstrap,
            PATIENT_TOPIC,
            PATIENT_BYTES,
            PATIENT_RATE,
            SECONDS_MAX,
        ];
        let patient = Background::start(self.site, "sequence-produce", program("sequence", &arguments))?;
        let broker = self.fill_up(broker, findings)?;
        self.make_room(findings)?;
        self.judge_patient(patient, findings)?;
        broker.stop()
    }

    /// Until nothing more is taken; then kill -9 and a start without any room.
    fn fill_up(&self, mut broker: Broker, findings: &mut Findings) -> anyhow::Result<Broker> {
        let full = self.fill("first", REFUSALS_FULL, u64::MAX / 2)?;
        findings.fact("acknowledged before it was full", mebibytes(full.count("bytes")?));
        findings.fact("refusals", full.text("codes")?);
        findings.check(
            "every refusal is an answer with a retriable error code",
            full.count("fatal")? == 0 && full.count("closed")? == 0 && full.text("codes")? != "none",
        );
        must_live(self.site, &mut broker)?;
        findings.check(
            "the admin side is well while the disk is full",
            probe::is_healthy(self.site),
        );
        findings.check(
            "everything acknowledged is read while the disk is full",
            self.is_kept("first")?,
        );
        broker.kill()?;
        let (broker, _) = probe::start(self.site).context("kill -9 and a start on the full disk")?;
        findings.check(
            "and after kill -9 and a start on the full disk",
            self.is_kept("first")?,
        );
        Ok(broker)
    }

    /// By removing a file that is not the broker's, and by deleting a topic.
    fn make_room(&self, findings: &mut Findings) -> anyhow::Result<()> {
        self.disk.run(&["rm", "ballast"])?;
        let again = self.fill("second", REFUSALS_PATIENT, AFTERWARDS_BYTES)?;
        findings.check(
            "after a file was removed, producing works again",
            again.count("bytes")? >= AFTERWARDS_BYTES,
        );
        let full = self.fill("first", REFUSALS_FULL, u64::MAX / 2)?;
        findings.fact(
            "acknowledged until it was full again",
            mebibytes(full.count("bytes")?),
        );
        let arguments = ["delete", &self.site.bootstrap(), "first"];
        finish(self.site, "delete", program("fill-disk", &arguments))?;
        let again = self.fill("second", REFUSALS_PATIENT, AFTERWARDS_BYTES)?;
        findings.fact(
            "refusals until the deleted topic's space was free",
            again.text("codes")?,
        );
        findings.check(
            "after a topic was deleted, producing works again",
            again.count("bytes")? >= AFTERWARDS_BYTES,
        );
        findings.check(
            "everything acknowledged of the topic that is left is read",
            self.is_kept("second")?,
        );
        Ok(())
    }

    fn judge_patient(&self, mut patient: Background, findings: &mut Findings) -> anyhow::Result<()> {
        findings.check("a stock producer lived through all of it", patient.is_running());
        let patient = patient.stop()?;
        findings.fact("records of the stock producer", patient.count("records")?);
        let arguments = ["read", &self.site.bootstrap(), PATIENT_TOPIC, SECONDS_MAX];
        let read = finish(self.site, "sequence-read", program("sequence", &arguments))?;
        findings.check(
            "and each of its records came, once, in order",
            patient.count("unacked")? == 0
                && patient.count("misplaced")? == 0
                && read.count("records")? == patient.count("records")?
                && read.count("wrong")? == 0,
        );
        Ok(())
    }

    fn fill(&self, topic: &str, refusals: &str, bytes: u64) -> anyhow::Result<Fields> {
        let arguments = [
            "fill",
            &self.site.bootstrap(),
            topic,
            &self.journal(topic),
            refusals,
            &bytes.to_string(),
        ];
        finish(self.site, "fill", program("fill-disk", &arguments))
    }

    /// Whether everything that was acknowledged is read, with its own bytes.
    fn is_kept(&self, topic: &str) -> anyhow::Result<bool> {
        let arguments = ["check", &self.site.bootstrap(), topic, &self.journal(topic)];
        let found = finish(self.site, "check", program("fill-disk", &arguments))?;
        Ok(found.count("wrong")? == 0 && found.count("good")? == found.count("acked")?)
    }

    fn journal(&self, topic: &str) -> String {
        self.site
            .folder()
            .join(format!("{topic}.journal"))
            .display()
            .to_string()
    }
}

/// A file system that only processes of one mount namespace see.
struct SmallDisk {
    holder: Child,
    folder: String,
}

impl SmallDisk {
    fn mount(site: &Site) -> anyhow::Result<Self> {
        let folder = site.data();
        std::fs::create_dir_all(&folder)?;
        let folder = folder.display().to_string();
        let script =
            format!("mount -t tmpfs -o size={DISK_BYTES} tmpfs \"$0\" && echo mounted && exec sleep 3600");
        let mut holder = Command::new("unshare")
            .args([
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                &script,
                &folder,
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(create(&site.folder().join("mount.log"))?)
            .spawn()
            .context("cannot start unshare")?;
        let mut line = String::new();
        let pipe = holder.stdout.take().expect("stdout is piped");
        let disk = Self { holder, folder };
        BufReader::new(pipe).read_line(&mut line)?;
        if line.trim() != "mounted" {
            bail!(
                "unshare and mount want root; see {}/mount.log",
                site.folder().display()
            );
        }
        Ok(disk)
    }

    /// What starts a program inside.
    fn launcher(&self) -> Vec<String> {
        let namespace = format!("--mount=/proc/{}/ns/mnt", self.holder.id());
        ["nsenter".to_owned(), namespace, "--".to_owned()].into()
    }

    /// Runs a program inside, in the folder.
    fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let launcher = self.launcher();
        run_command(
            Command::new(&launcher[0])
                .args(&launcher[1..])
                .args(["sh", "-c", "cd \"$0\" && exec \"$@\"", &self.folder])
                .args(arguments),
        )
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // With its last process the namespace goes, and the file system with it.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
