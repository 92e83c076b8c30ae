//! The arguments of a task: flags and `--name value` pairs, read by hand because tasks have few of them.
//!
//! Invariant: an argument that nobody asked for is an error, never ignored.

use anyhow::{Context, anyhow, bail};
use std::path::PathBuf;
use std::str::FromStr;

/// The arguments that no call has taken yet.
pub struct Options {
    left: Vec<String>,
}

impl Options {
    /// All arguments after the task's name.
    pub fn new(args: &[String]) -> Self {
        Self { left: args.to_vec() }
    }

    /// Whether `--name` stands there.
    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.left.len();
        self.left.retain(|arg| arg != name);
        self.left.len() < before
    }

    /// The text after `--name`, if it stands there.
    pub fn text(&mut self, name: &str) -> anyhow::Result<Option<String>> {
        let Some(at) = self.left.iter().position(|arg| arg == name) else {
            return Ok(None);
        };
        if at + 1 == self.left.len() {
            bail!("{name} wants a value after it");
        }
        let value = self.left.remove(at + 1);
        self.left.remove(at);
        Ok(Some(value))
    }

    /// The path after `--name`, made absolute: brokers and clients start in folders of their own.
    pub fn path(&mut self, name: &str) -> anyhow::Result<Option<PathBuf>> {
        let given = self.text(name)?;
        given.map(|path| Ok(std::path::absolute(path)?)).transpose()
    }

    /// The number (or whatever parses) after `--name`, or what stands for its absence.
    pub fn parsed<T>(&mut self, name: &str, absent: T) -> anyhow::Result<T>
    where
        T: FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        match self.text(name)? {
            None => Ok(absent),
            Some(text) => text
                .parse()
                .with_context(|| format!("{name} cannot take \"{text}\"")),
        }
    }

    /// To be called last: whatever is left was not understood.
    pub fn finish(self, usage: &str) -> anyhow::Result<()> {
        match self.left.first() {
            None => Ok(()),
            Some(unknown) => Err(anyhow!("unknown argument \"{unknown}\"\n{usage}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn options(text: &str) -> Options {
        let args: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Options::new(&args)
    }

    #[test]
    fn flags_and_values_are_taken_in_any_order() {
        let mut given = options("--rounds 7 --write --peer kafka");
        assert!(given.flag("--write"));
        assert_eq!(given.text("--peer").expect("a value").as_deref(), Some("kafka"));
        assert_eq!(given.parsed("--rounds", 1).expect("a number"), 7);
        assert_eq!(given.parsed("--other", 3).expect("the default"), 3);
        given.finish("usage").expect("nothing is left");
    }

    #[test]
    fn what_nobody_asked_for_is_an_error() {
        assert!(options("--typo").finish("usage").is_err());
        assert!(options("--peer").text("--peer").is_err());
        assert!(options("--rounds many").parsed("--rounds", 1).is_err());
    }
}
