//! Places in a topic as a person writes them: `beginning`, `end`, `1234`, `-10`, `2026-11-21T10:00:00Z`, `@1700000000000`, `1h ago`.

use crate::client::fetcher::Isolation;
use crate::client::offsets::{Place, find, find_all};
use crate::client::{ClientError, Cluster};
use crate::config::value::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where to start, or where a group is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// The first record that is kept.
    Beginning,
    /// After the last record.
    End,
    /// This offset, in every partition.
    Offset(i64),
    /// So many records before the end, in every partition.
    BeforeEnd(i64),
    /// The first record at or after this time, milliseconds since the epoch.
    Time(i64),
    /// As a time, so long before now.
    Ago(Duration),
}

/// What may be written, for errors and help.
const EXPECTED: &str = "must be beginning, end, an OFFSET, -N (N before the end), a time such as 2026-11-21T10:00:00Z, \
     @MILLISECONDS since 1970, or a duration such as 1h (ago)";

impl std::str::FromStr for StartAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || EXPECTED.to_owned();
        match text {
            "beginning" | "earliest" => return Ok(Self::Beginning),
            "end" | "latest" => return Ok(Self::End),
            _ => {}
        }
        if let Some(ms) = text.strip_prefix('@') {
            return ms.parse().map(Self::Time).map_err(|_| expected());
        }
        if let Ok(offset) = text.parse::<i64>() {
            return Ok(if offset < 0 {
                Self::BeforeEnd(-offset)
            } else {
                Self::Offset(offset)
            });
        }
        if let Ok(ago) = Duration::parse(text.trim_end_matches(" ago")) {
            return Ok(Self::Ago(ago));
        }
        parse_time(text).map(Self::Time).ok_or_else(expected)
    }
}

/// RFC 3339: `2026-11-21T10:00:00Z`, with a fraction or an offset if wanted; a date alone is its midnight in UTC.
fn parse_time(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let midnight_ms = days_since_epoch(year, month, day) * 86_400_000;
    if rest.is_empty() {
        return Some(midnight_ms);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone_at);
    Some(midnight_ms + time_of_day_ms(time)? - zone_ms(zone)?)
}

fn time_of_day_ms(time: &str) -> Option<i64> {
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = whole.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    if parts.next().is_some()
        || !(0..24).contains(&hour)
        || !(0..60).contains(&minute)
        || !(0..=60).contains(&second)
    {
        return None;
    }
    let mut thousandths = 0;
    for digit in fraction.chars().chain(['0'; 3]).take(3) {
        thousandths = thousandths * 10 + i64::from(digit.to_digit(10)?);
    }
    Some(((hour * 60 + minute) * 60 + second) * 1_000 + thousandths)
}

fn zone_ms(zone: &str) -> Option<i64> {
    let sign = match zone.chars().next() {
        None | Some('Z' | 'z') => return Some(0),
        Some('-') => -1,
        Some(_) => 1,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    Some(sign * (hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?) * 60_000)
}

/// Days from 1970-01-01 in the Gregorian calendar; years begin in March here, so that the leap day is a year's last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

/// Milliseconds since the epoch, by this machine's clock: the person's idea of "an hour ago".
#[expect(
    clippy::disallowed_methods,
    reason = "a command line has no Clock port: it runs outside of the broker"
)]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The offset of the place in every partition of a topic, moved to where the partition has records.
pub async fn resolve(cluster: &mut Cluster, topic: &str, at: StartAt) -> Result<Vec<i64>, ClientError> {
    let starts = find_all(cluster, topic, Place::Earliest, Isolation::ReadUncommitted).await?;
    let ends = find_all(cluster, topic, Place::Latest, Isolation::ReadUncommitted).await?;
    let times = match at {
        StartAt::Time(ms) => Some(find(cluster, topic, Place::AtTime(ms)).await?),
        StartAt::Ago(ago) => {
            let ms = now_ms().saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX));
            Some(find(cluster, topic, Place::AtTime(ms)).await?)
        }
        _ => None,
    };
    let mut places = Vec::with_capacity(ends.len());
    for (partition, (start, end)) in starts.into_iter().zip(ends).enumerate() {
        let wanted = match at {
            StartAt::Beginning => start,
            StartAt::End => end,
            StartAt::Offset(offset) => offset,
            StartAt::BeforeEnd(records) => end.saturating_sub(records),
            StartAt::Time(_) | StartAt::Ago(_) => times
                .as_ref()
                .and_then(|times| times.get(partition).copied().flatten())
                .unwrap_or(end),
        };
        places.push(wanted.clamp(start, end.max(start)));
    }
    Ok(places)
}
