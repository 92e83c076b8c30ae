//! OpenTelemetry's metrics, as clients push them (KIP-714): numbers with names, out of protobuf.
//!
//! Owns: the few messages that carry numbers, by their field numbers (opentelemetry/proto/metrics/v1). Pure. Never: whose they are.
//!
//! **Invariant**: no input makes it panic, recurse, or allocate more than the bounds: every length is held against what is left.

use std::fmt::Write as _;

/// Numbers of one push; what comes after them is passed over.
pub(crate) const SAMPLES_MAX: usize = 1_000;
/// The longest name.
const NAME_BYTES_MAX: usize = 256;
/// The longest text of attributes; what does not fit is left out.
const ATTRIBUTES_BYTES_MAX: usize = 512;

/// How a number goes with those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It stands for itself.
    Gauge,
    /// It counts from the client's start.
    Total,
    /// It counts from the push before.
    Delta,
}

/// One number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub name: String,
    /// `key=value,key=value`, in the order of the push.
    pub attributes: String,
    pub kind: Kind,
    pub value: f64,
}

/// The bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// One field of a message.
enum Field<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Other,
}

/// Fields of one message, in order.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<(u64, Field<'a>)>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let field = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(*self.take(8)?.first_chunk().ok_or(Malformed)?),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                Field::Bytes(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                Field::Other
            }
            _ => return Err(Malformed),
        };
        Ok(Some((tag >> 3, field)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Malformed)?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }
}

/// Calls `each` with every sub-message in a field of that number.
fn each_message<'a>(
    bytes: &'a [u8],
    number: u64,
    mut each: impl FnMut(&'a [u8]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut fields = Fields(bytes);
    while let Some((found, field)) = fields.next()? {
        if let (true, Field::Bytes(inner)) = (found == number, field) {
            each(inner)?;
        }
    }
    Ok(())
}

/// Every number of a `MetricsData`. Histograms and summaries are passed over: no client of Kafka pushes one.
pub(crate) fn samples(bytes: &[u8]) -> Result<Vec<Sample>, Malformed> {
    let mut samples = Vec::new();
    // MetricsData.resource_metrics, ResourceMetrics.scope_metrics, ScopeMetrics.metrics.
    each_message(bytes, 1, |resource| {
        each_message(resource, 2, |scope| {
            each_message(scope, 2, |one| metric(one, &mut samples))
        })
    })?;
    Ok(samples)
}

/// Metric: name = 1, gauge = 5, sum = 7.
fn metric(bytes: &[u8], samples: &mut Vec<Sample>) -> Result<(), Malformed> {
    let (mut name, mut numbers) = ("", None);
    let mut fields = Fields(bytes);
    while let Some(field) = fields.next()? {
        match field {
            (1, Field::Bytes(text)) => name = std::str::from_utf8(text).map_err(|_| Malformed)?,
            (5, Field::Bytes(gauge)) => numbers = Some((gauge, Kind::Gauge)),
            (7, Field::Bytes(sum)) => numbers = Some((sum, temporality(sum)?)),
            _ => {}
        }
    }
    let Some((numbers, kind)) = numbers.filter(|_| !name.is_empty() && name.len() <= NAME_BYTES_MAX) else {
        return Ok(());
    };
    // Gauge.data_points, Sum.data_points.
    each_message(numbers, 1, |point| {
        let (attributes, value) = data_point(point)?;
        if let Some(value) = value.filter(|_| samples.len() < SAMPLES_MAX) {
            samples.push(Sample {
                name: name.to_owned(),
                attributes,
                kind,
                value,
            });
        }
        Ok(())
    })
}

/// Sum: aggregation_temporality = 2 (1 is delta, 2 is cumulative).
fn temporality(sum: &[u8]) -> Result<Kind, Malformed> {
    let mut kind = Kind::Total;
    let mut fields = Fields(sum);
    while let Some(field) = fields.next()? {
        if let (2, Field::Varint(code)) = field {
            kind = if code == 1 { Kind::Delta } else { Kind::Total };
        }
    }
    Ok(kind)
}

/// NumberDataPoint: as_double = 4, as_int = 6, attributes = 7.
fn data_point(bytes: &[u8]) -> Result<(String, Option<f64>), Malformed> {
    let (mut attributes, mut value) = (String::new(), None);
    let mut fields = Fields(bytes);
    while let Some(field) = fields.next()? {
        match field {
            (4, Field::Fixed64(bytes)) => value = Some(f64::from_le_bytes(bytes)),
            (6, Field::Fixed64(bytes)) => value = Some(i64::from_le_bytes(bytes) as f64),
            (7, Field::Bytes(pair)) => attribute(pair, &mut attributes)?,
            _ => {}
        }
    }
    Ok((attributes, value.filter(|value| value.is_finite())))
}

/// KeyValue: key = 1, value = 2. AnyValue: string = 1, bool = 2, int = 3, double = 4.
fn attribute(bytes: &[u8], into: &mut String) -> Result<(), Malformed> {
    let (mut key, mut text) = ("", String::new());
    let mut fields = Fields(bytes);
    while let Some(field) = fields.next()? {
        match field {
            (1, Field::Bytes(name)) => key = std::str::from_utf8(name).map_err(|_| Malformed)?,
            (2, Field::Bytes(any)) => text = any_value(any)?,
            _ => {}
        }
    }
    if into.len() + key.len() + text.len() + 2 <= ATTRIBUTES_BYTES_MAX {
        let comma = if into.is_empty() { "" } else { "," };
        write!(into, "{comma}{key}={text}").expect("writing to a string cannot fail");
    }
    Ok(())
}

fn any_value(bytes: &[u8]) -> Result<String, Malformed> {
    let mut fields = Fields(bytes);
    let mut text = String::new();
    while let Some(field) = fields.next()? {
        match field {
            (1, Field::Bytes(string)) if string.len() <= ATTRIBUTES_BYTES_MAX => {
                text = std::str::from_utf8(string).map_err(|_| Malformed)?.to_owned();
            }
            (2, Field::Varint(flag)) => text = (flag != 0).to_string(),
            (3, Field::Varint(number)) => text = number.cast_signed().to_string(),
            (4, Field::Fixed64(number)) => text = f64::from_le_bytes(number).to_string(),
            _ => {}
        }
    }
    Ok(text)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A field of bytes.
    pub(crate) fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2];
        let mut length = bytes.len();
        while length > 0x7f {
            out.push(0x80 | (length & 0x7f) as u8);
            length >>= 7;
        }
        out.push(length as u8);
        out.extend_from_slice(bytes);
        out
    }

    fn fixed(number: u8, bytes: [u8; 8]) -> Vec<u8> {
        [&[number << 3 | 1][..], &bytes].concat()
    }

    fn in_data(metric: &[u8]) -> Vec<u8> {
        field(1, &field(2, &field(2, metric)))
    }

    /// A push of one sum.
    pub(crate) fn push_of_sum(name: &str, temporality: u8, value: i64) -> Vec<u8> {
        let pair = [field(1, b"topic"), field(2, &field(1, b"t"))].concat();
        let point = [fixed(6, value.to_le_bytes()), field(7, &pair)].concat();
        let sum = [field(1, &point), vec![2 << 3, temporality]].concat();
        in_data(&[field(1, name.as_bytes()), field(7, &sum)].concat())
    }

    #[test]
    fn sums_and_gauges_are_read() {
        let sample = |kind, value| Sample {
            name: "org.apache.kafka.x".to_owned(),
            attributes: "topic=t".to_owned(),
            kind,
            value,
        };
        let name = "org.apache.kafka.x";
        assert_eq!(
            samples(&push_of_sum(name, 1, 5)),
            Ok(vec![sample(Kind::Delta, 5.0)])
        );
        assert_eq!(
            samples(&push_of_sum(name, 2, -7)),
            Ok(vec![sample(Kind::Total, -7.0)])
        );
        let point = fixed(4, 2.5_f64.to_le_bytes());
        let gauge = in_data(&[field(1, b"g"), field(5, &field(1, &point))].concat());
        let read = samples(&gauge).expect("well-formed");
        assert_eq!((read[0].kind, read[0].value), (Kind::Gauge, 2.5));
    }

    #[test]
    fn what_is_cut_short_or_nonsense_is_refused_and_never_panics() {
        let whole = push_of_sum("name", 1, 5);
        for end in 1..whole.len() {
            assert_eq!(samples(&whole[..end]), Err(Malformed), "cut at {end}");
        }
        for at in 0..whole.len() {
            for value in 0..=255 {
                let mut bytes = whole.clone();
                bytes[at] = value;
                let _ = samples(&bytes);
            }
        }
        assert_eq!(samples(&[0xff; 64]), Err(Malformed));
        assert_eq!(samples(&[]), Ok(vec![]));
    }

    #[test]
    fn a_push_of_very_many_numbers_is_cut() {
        let many = push_of_sum("n", 1, 1).repeat(SAMPLES_MAX + 10);
        assert_eq!(samples(&many).map(|samples| samples.len()), Ok(SAMPLES_MAX));
    }
}
