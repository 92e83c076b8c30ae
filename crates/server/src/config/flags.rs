//! The flags of `millstream serve`, one for each row of the table.

use super::listener::Listeners;
use super::table::ROWS;
use super::value::Value;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// Settings given as flags: index of the row and text.
#[derive(Clone, Debug, Default)]
pub struct SettingFlags(pub Vec<(usize, String)>);

/// Flags that the short help shows; the others are in `--help` and in docs/CONFIG.md.
const SHORT_HELP: &[&str] = &["data-dir", "kafka-listen", "admin-listen"];

impl Args for SettingFlags {
    fn augment_args(mut command: Command) -> Command {
        for row in ROWS {
            let default = if row.default.is_empty() {
                "none"
            } else {
                row.default
            };
            let flag = row.flag();
            let short = SHORT_HELP.contains(&flag.as_str());
            command = command.arg(
                Arg::new(row.name())
                    .long(flag)
                    .value_name(row.kind.to_uppercase())
                    .action(match row.kind {
                        // Several flags are one list.
                        <Listeners as Value>::KIND => ArgAction::Append,
                        _ => ArgAction::Set,
                    })
                    .help(format!("{} [default: {default}]", row.doc))
                    .hide_short_help(!short),
            );
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Self::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for (index, row) in ROWS.iter().enumerate() {
            let texts: Vec<&str> = matches
                .get_many::<String>(&row.name())
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            if !texts.is_empty() {
                self.0.push((index, texts.join(",")));
            }
        }
        Ok(())
    }
}
