//! A crash at every moment of a short life: each await of append, upload, compaction and recovery, one after the other.

use millstream_sim::disk::CrashKind;
use millstream_sim::plan::{Ending, LifePlan, Plan};
use millstream_sim::run::run;
use millstream_sim::trace::Lines;
use millstream_sim::world::CrashPlan;
use std::time::Duration;

const LINES: Lines = Lines::Tail(200);

/// Lives of which every moment is tried take so long.
const LASTS: Duration = Duration::from_millis(60);

fn life(crash: CrashPlan, kind: CrashKind) -> LifePlan {
    LifePlan {
        crash,
        kind,
        lasts: LASTS,
        ending: Ending::Crash,
        ..LifePlan::calm()
    }
}

fn plan(seed: u64, lives: Vec<LifePlan>) -> Plan {
    let mut plan = Plan::of_seed(seed).without_faults();
    plan.lives = lives;
    plan
}

#[test]
fn a_crash_at_any_moment_loses_nothing() {
    for kind in [CrashKind::PowerLoss, CrashKind::Kill] {
        let whole = run(plan(1, vec![life(CrashPlan::Never, kind)]), LINES);
        assert!(whole.violation.is_none(), "{whole}");
        assert!(whole.moments > 50, "a life worth crashing: {whole}");
        for moment in 1..=whole.moments {
            let report = run(plan(1, vec![life(CrashPlan::AtMoment(moment), kind)]), LINES);
            assert!(report.violation.is_none(), "moment {moment}, {kind:?}: {report}");
        }
    }
}

#[test]
fn a_crash_at_any_moment_of_recovery_loses_nothing() {
    let kind = CrashKind::PowerLoss;
    let first = life(CrashPlan::Never, kind);
    for moment in 1..40 {
        let lives = vec![
            first,
            life(CrashPlan::AtMoment(moment), kind),
            life(CrashPlan::AtMoment(moment / 2 + 1), kind),
        ];
        let report = run(plan(2, lives), LINES);
        assert!(report.violation.is_none(), "moment {moment}: {report}");
    }
}
