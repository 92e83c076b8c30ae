//! The broker that a suite runs against: started for it, asked after every test whether it lives, started anew when it
//! died, so that one crash costs one test and not the rest of the suite.

use super::Suite;
use crate::brokers::{Broker, Peer, Site};
use crate::process::{Finished, run_bounded};
use crate::shell::root;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A broker that does not accept a connection for so long hangs.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// What a broker needs beyond a suite's settings so that the tests of access control are judged too. Everyone may do
/// everything that no rule forbids, as on a broker without an authoriser. A suite's own settings win.
const ACCESS: &[&str] = &[
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users=User:ANONYMOUS",
    "allow.everyone.if.no.acl.found=true",
];

/// A running broker, its folder, and the count of its deaths.
pub struct Stage {
    site: Site,
    broker: Broker,
    folder: PathBuf,
    deaths: usize,
}

impl Stage {
    /// Starts a broker on fresh storage, set as the suite's own brokers are.
    pub fn open(
        suite: &Suite,
        peer: Peer,
        port: Option<u16>,
        binary: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        // Two runs of one suite may stand side by side, each on its port.
        let lane = port.map_or(String::new(), |port| format!("-{port}"));
        let folder = root()
            .join(".cache/runs/suites")
            .join(peer.name())
            .join(format!("{}{lane}", suite.name));
        let settings: Vec<&str> = ACCESS.iter().chain(suite.settings).copied().collect();
        let flags = settings
            .iter()
            .flat_map(|setting| ["--set", setting])
            .map(str::to_owned);
        let site = Site::prepare(peer, &folder, port, binary)?.with(flags.collect(), &[]);
        site.append_properties(&(settings.join("\n") + "\n"))?;
        let broker = site.start()?;
        Ok(Self {
            site,
            broker,
            folder,
            deaths: 0,
        })
    }

    /// What clients connect to.
    pub fn bootstrap(&self) -> String {
        self.site.bootstrap()
    }

    /// Where the suite's logs and other files go.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs one test program with a limit; its standard error goes to `NAME.log`, what it printed to `NAME.out`. A broker
    /// that died meanwhile is started again on what it left behind; the result then says so.
    pub fn run(&mut self, name: &str, command: &mut Command, limit: Duration) -> anyhow::Result<Ran> {
        let file = name.replace(['/', ':'], "_");
        let log = self.folder.join(format!("{file}.log"));
        let finished = run_bounded(command, limit, &log)?;
        std::fs::write(self.folder.join(format!("{file}.out")), &finished.stdout)?;
        println!("  {name}: {:.1} s", finished.took.as_secs_f64());
        let broker_died = !self.is_alive();
        if broker_died {
            self.deaths += 1;
            println!("the broker died during {name}; starting it again");
            self.broker = self.site.start()?;
        }
        Ok(Ran {
            finished,
            errors: std::fs::read(&log).map_or_else(
                |_| String::new(),
                |bytes| String::from_utf8_lossy(&bytes).into_owned(),
            ),
            broker_died,
        })
    }

    /// Stops the broker, frees its disk space, and tells how often it died.
    pub fn close(self) -> anyhow::Result<usize> {
        self.broker.stop()?;
        self.site.remove_data()?;
        Ok(self.deaths)
    }

    fn is_alive(&mut self) -> bool {
        self.broker.is_alive()
            && TcpStream::connect_timeout(&self.site.kafka_address(), CONNECT_LIMIT).is_ok()
    }
}

/// A test program that ended.
pub struct Ran {
    /// How, and what it printed.
    pub finished: Finished,
    /// What it wrote to its standard error.
    pub errors: String,
    /// Whether the broker had to be started again.
    pub broker_died: bool,
}

impl Ran {
    /// Why a test that the program did not report on has failed.
    pub fn silence(&self) -> String {
        match (self.broker_died, self.finished.status) {
            (true, _) => "the broker died".to_owned(),
            (false, None) => format!(
                "killed at its limit, after {:.0} s",
                self.finished.took.as_secs_f64()
            ),
            (false, Some(status)) => format!("not reported; the program ended with {status}"),
        }
    }
}
