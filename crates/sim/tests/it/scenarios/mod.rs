//! Faults that the simulator found, each with its story. A seed's plan changes when the simulator grows; a scenario stays.

mod stage;

mod s001_second_batch_of_a_new_producer;
mod s002_shared_object_of_a_trimmed_stream;
mod s003_reader_stuck_behind_compaction;
mod s004_everything_compacted_away;
mod s005_topic_that_exists_and_is_not_served;
mod s006_less_room_than_waits;
mod s007_trim_into_a_batch_that_was_handed_out;
mod s008_queue_before_a_start_that_nobody_told_it;
mod s009_group_that_only_the_page_cache_holds;
