//! The simulated disk keeps the promises of a real one, and breaks everything that a real one may break.

use super::file::{File, Surviving};
use crate::rng::Rng;

fn read(file: &File) -> Vec<u8> {
    file.read(0, 8).expect("eight bytes").to_vec()
}

fn written(file: &mut File, offset: u64, bytes: &[u8]) {
    let write = file.begin_write(offset, bytes.to_vec());
    file.finish_write(write);
}

#[test]
fn a_synced_write_survives_every_power_loss() {
    for seed in 0..50 {
        let mut rng = Rng::new(seed);
        let mut file = File::zeros(8);
        written(&mut file, 0, b"abcd");
        let covered = file.finished();
        file.sync(&covered);
        written(&mut file, 4, b"efgh");
        let surviving = Surviving::draw(&mut rng);
        file.lose_power(surviving, &mut rng);
        assert_eq!(&read(&file)[..4], b"abcd");
    }
}

#[test]
fn an_unsynced_write_is_read_back_and_may_be_lost_torn_or_kept() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut file = File::zeros(8);
        written(&mut file, 0, b"abcdefgh");
        assert_eq!(read(&file), b"abcdefgh");
        let surviving = Surviving::draw(&mut rng);
        file.lose_power(surviving, &mut rng);
        seen.insert(read(&file));
    }
    assert!(seen.contains(&b"abcdefgh"[..]), "kept");
    assert!(seen.contains(&[0; 8][..]), "lost");
    assert!(seen.contains(&b"abc\0\0\0\0\0"[..]), "torn inside of a sector");
}

#[test]
fn writes_survive_out_of_order() {
    let reordered = (0..100).any(|seed| {
        let mut rng = Rng::new(seed);
        let mut file = File::zeros(8);
        written(&mut file, 0, b"abcd");
        written(&mut file, 4, b"efgh");
        file.lose_power(Surviving::SomeWrites, &mut rng);
        read(&file) == b"\0\0\0\0efgh"
    });
    assert!(reordered);
}

#[test]
fn a_sync_does_not_cover_a_write_that_was_under_way_when_it_was_called() {
    let mut file = File::zeros(8);
    let write = file.begin_write(0, b"abcd".to_vec());
    let covered = file.finished();
    file.finish_write(write);
    file.sync(&covered);
    file.lose_power(Surviving::Nothing, &mut Rng::new(0));
    assert_eq!(read(&file), [0; 8]);
}

#[test]
fn after_a_failed_sync_a_later_one_proves_nothing() {
    let lost = (0..50).any(|seed| {
        let mut rng = Rng::new(seed);
        let mut file = File::zeros(8);
        written(&mut file, 0, b"abcd");
        let covered = file.finished();
        file.fail_sync(&covered, &mut rng);
        assert_eq!(&read(&file)[..4], b"abcd", "the page cache still shows it");
        let covered = file.finished();
        file.sync(&covered);
        file.lose_power(Surviving::Everything, &mut rng);
        read(&file) == [0; 8]
    });
    assert!(lost);
}

#[test]
fn a_killed_process_leaves_its_writes_in_the_page_cache_until_power_is_lost() {
    let mut rng = Rng::new(1);
    let mut file = File::zeros(8);
    written(&mut file, 0, b"abcd");
    file.kill(&mut rng);
    assert_eq!(&read(&file)[..4], b"abcd");
    file.lose_power(Surviving::Nothing, &mut rng);
    assert_eq!(read(&file), [0; 8]);
}
