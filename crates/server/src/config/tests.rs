//! The table of settings, its layers and its docs.

use super::layers::unknown_variables;
use super::show;
use super::table::ROWS;
use super::value::{ByteSize, HostPort, Value, WebAddress, without_credentials};
use super::{Layers, SettingFlags, Source};
use std::path::Path;
use std::time::Duration;

fn row(name: &str) -> usize {
    ROWS.iter()
        .position(|row| row.name() == name)
        .expect("the test names a row")
}

fn from_file(text: &str) -> Result<Layers, String> {
    let mut layers = Layers::default();
    layers
        .add_text(Path::new("m.toml"), text)
        .map_err(|error| error.to_string())?;
    Ok(layers)
}

fn nothing(_: &str) -> Option<String> {
    None
}

#[test]
fn no_setting_is_needed() {
    let layers = Layers::load(None, nothing, &SettingFlags::default()).expect("defaults hold");
    let settings = layers.settings();
    assert_eq!(settings.kafka.listen.to_string(), "127.0.0.1:9092");
    assert_eq!(settings.admin.listen.to_string(), "127.0.0.1:9644");
    assert_eq!(settings.data.dir, Path::new("./millstream-data"));
}

#[test]
fn every_default_is_a_value_of_its_row() {
    for row in ROWS {
        assert!((row.check)(row.default).is_ok(), "{}", row.name());
    }
}

#[test]
fn names_are_unique_in_the_file_the_environment_and_the_flags() {
    for naming in [
        super::table::Row::name,
        super::table::Row::variable,
        super::table::Row::flag,
    ] {
        let mut names: Vec<String> = ROWS.iter().map(naming).collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}

#[test]
fn a_flag_beats_the_environment_beats_the_file_beats_the_default() {
    let folder = std::env::temp_dir().join(format!("millstream-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let file = folder.join("m.toml");
    std::fs::write(
        &file,
        "[limits]\nconnections_max = 1\nshutdown_grace = '1s'\nrequest_bytes_max = 2048\n",
    )
    .expect("written");
    let environment = |name: &str| match name {
        "MILLSTREAM_LIMITS_CONNECTIONS_MAX" => Some("2".to_owned()),
        "MILLSTREAM_LIMITS_SHUTDOWN_GRACE" => Some("2s".to_owned()),
        _ => None,
    };
    let flags = SettingFlags(vec![(row("limits.connections_max"), "3".to_owned())]);
    let layers = Layers::load(Some(&file), environment, &flags).expect("all values are good");
    let limits = layers.settings().limits;
    assert_eq!(limits.connections_max, 3);
    assert_eq!(limits.shutdown_grace, Duration::from_secs(2));
    assert_eq!(limits.request_bytes_max, ByteSize(2048));
    assert_eq!(
        *layers.text(row("limits.request_bytes_max")).1,
        Source::File(file, 4)
    );
    assert_eq!(*layers.text(row("log.flush")).1, Source::Default);
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_a_suggestion() {
    let error = from_file("[log]\nflush = 'sync'\nflsh = 'async'\n").expect_err("there is no such key");
    assert_eq!(
        error,
        "m.toml:3: there is no setting log.flsh; did you mean log.flush?"
    );
    let error = from_file("[logg]\nflush = 'sync'\n").expect_err("there is no such group");
    assert_eq!(
        error,
        "m.toml:2: there is no setting logg.flush; did you mean log.flush?"
    );
    let error = from_file("zzz = 1\n").expect_err("no top-level keys");
    assert!(error.contains("`millstream config show` lists all"), "{error}");
}

#[test]
fn settings_with_kafkas_names_are_taken_quoted_or_not_and_checked() {
    let layers = from_file("[broker]\nnum.partitions = 3\n\"delete.topic.enable\" = false\n")
        .expect("both are settings");
    let values = super::broker_settings::values(layers.broker());
    assert_eq!(values["num.partitions"], "3");
    assert_eq!(values["delete.topic.enable"], "false");
    let again = from_file(&show::toml(&layers)).expect("what is shown is a good file");
    assert_eq!(super::broker_settings::values(again.broker()), values);
    let error = from_file("[broker]\nnum.partition = 3\n").expect_err("no such setting");
    assert!(error.contains("did you mean broker.num.partitions?"), "{error}");
    assert!(from_file("[broker]\nnum.partitions = 0\n").is_err());
}

#[test]
fn a_bad_value_is_refused_with_what_would_be_good() {
    let error = from_file("[log]\ntail_cache_bytes = '64Mib'\n").expect_err("not a unit");
    assert!(
        error.starts_with("m.toml:2: log.tail_cache_bytes = \"64Mib\": must be a size"),
        "{error}"
    );
    let error = from_file("[log]\nwal_segment_bytes = '1B'\n").expect_err("too small");
    assert!(error.ends_with("must lie between 1MiB and 4GiB"), "{error}");
    let error = from_file("[log]\nflush = ['sync']\n").expect_err("not one value");
    assert!(error.contains("takes one value"), "{error}");
    assert!(
        from_file("[log\n")
            .expect_err("not TOML")
            .starts_with("m.toml:1: ")
    );
}

#[test]
fn an_unreadable_file_is_named() {
    let error = Layers::load(
        Some(Path::new("/no/such/file.toml")),
        nothing,
        &SettingFlags::default(),
    );
    let error = error.expect_err("it does not exist").to_string();
    assert!(error.contains("/no/such/file.toml"), "{error}");
}

#[test]
fn what_is_shown_reads_back_as_the_same_settings() {
    let layers = from_file("[objects]\nkind = 's3'\nbucket = 'a \"b\" \\ c'\n[log]\nupload_age = '1h'\n")
        .expect("good");
    let again = from_file(&show::toml(&layers)).expect("what is shown is a good file");
    assert_eq!(again.settings(), layers.settings());
    assert!(show::toml(&layers).contains("upload_age = \"1h\"  # m.toml:5"));
}

#[test]
fn the_docs_are_those_of_the_table() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/CONFIG.md");
    let page = std::fs::read_to_string(page).expect("docs/CONFIG.md exists");
    assert!(
        page == show::markdown(),
        "docs/CONFIG.md is out of date: cargo run -- config docs > docs/CONFIG.md"
    );
}

#[test]
fn sizes_and_durations_are_read_as_people_write_them() {
    let sizes = [
        ("0", 0),
        ("65536", 65536),
        ("64MiB", 64 << 20),
        ("1GB", 1_000_000_000),
        ("1 KiB", 1024),
    ];
    for (text, bytes) in sizes {
        assert_eq!(ByteSize::parse(text), Ok(ByteSize(bytes)), "{text}");
    }
    for text in [
        "",
        "MiB",
        "-1",
        "1.5GiB",
        "1mib",
        "99999999TiB",
        "18446744073709551616",
    ] {
        assert!(ByteSize::parse(text).is_err(), "{text}");
    }
    for (text, ms) in [
        ("250ms", 250),
        ("10s", 10_000),
        ("5m", 300_000),
        ("12h", 43_200_000),
        ("7d", 604_800_000),
    ] {
        assert_eq!(Duration::parse(text), Ok(Duration::from_millis(ms)), "{text}");
    }
    assert!(
        Duration::parse("10").is_err(),
        "a duration without a unit is a guess"
    );
}

#[test]
fn addresses_of_both_families_are_read() {
    for text in ["127.0.0.1:9092", "localhost:0", "[::1]:9092"] {
        assert_eq!(
            text.parse::<HostPort>().map(|read| read.to_string()),
            Ok(text.to_owned())
        );
    }
    for text in [
        "",
        "9092",
        ":9092",
        "::1:9092",
        "host:",
        "host:70000",
        "[::1:9092",
    ] {
        assert!(text.parse::<HostPort>().is_err(), "{text}");
    }
}

#[test]
fn a_misspelt_variable_is_noticed() {
    let names = [
        "MILLSTREAM_LOG_FLUSH",
        "MILLSTREAM_LOG_FLSH",
        "PATH",
        "MILLSTREAM_CONFIG",
    ];
    assert_eq!(
        unknown_variables(names.iter().map(ToString::to_string)),
        ["MILLSTREAM_LOG_FLSH"]
    );
}

/// `config show` and errors show settings; a URL's user name and password once slipped through.
#[test]
fn a_url_that_may_hold_a_password_is_refused_and_not_shown() {
    for held in [
        "user:sesame@host:9000",
        "https://user:sesame@host",
        "https://sesame@host/keys",
        "https://user:pa/sesame@host",
        "https://user:12/sesame@host",
        "https://tok/sesame@host",
        "https://host/sesame@b/keys",
        "https://user:sesame@ho@st/keys",
        "https://host?user:sesame@x",
        "HTTPS://user:sesame@host",
        "ftp://user:sesame@host",
        "sesame://x@host",
    ] {
        assert!(WebAddress::parse(held).is_err(), "{held}");
        let shown = without_credentials(held);
        assert!(!shown.contains("sesame") && shown.contains("***@"), "{shown}");
    }
    for plain in [
        "https://host:9000/keys",
        "http://[::1]:9000",
        "https://host/a%40b/keys",
    ] {
        assert_eq!(WebAddress::parse(plain), Ok(WebAddress(plain.to_owned())));
    }
    assert_eq!(without_credentials("https://u:p@host/x"), "https://***@host/x");
    assert_eq!(without_credentials("no-such-host"), "no-such-host");
}
