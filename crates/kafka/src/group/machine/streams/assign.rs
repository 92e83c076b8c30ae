//! Which member is to have which tasks (Kafka: the assignor "sticky").
//!
//! Owns: the choice, a pure function. Never: the way there (`reconcile`).
//!
//! **Invariant**: every task is active with exactly one member; its copies lie with other processes, one each, as many as are asked
//! for and there are processes; no member has more active tasks of an application than its even share, rounded up.
//!
//! A task stays with the member that has it, else goes to one whose process keeps a copy of its state, else to the process with the
//! fewest tasks for its threads.

use crate::group::name::{MemberId, SubtopologyId};
use crate::group::record::{Task, Tasks};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is to be assigned.
pub(super) struct Spec<'a> {
    /// Members, their processes, and what they were to have so far.
    pub members: Vec<(&'a MemberId, Arc<str>, &'a Tasks)>,
    /// How many tasks each part has.
    pub tasks: &'a BTreeMap<SubtopologyId, u32>,
    /// Parts that keep state.
    pub stateful: BTreeSet<&'a SubtopologyId>,
    /// Copies of each task that keeps state.
    pub standby_replicas: u32,
}

/// The share of each member, in the order of the members.
pub(super) fn assign(spec: &Spec<'_>) -> Vec<Tasks> {
    if spec.members.is_empty() {
        return Vec::new();
    }
    let mut board = Board::new(spec);
    let all = tasks(spec);
    let (stateful, stateless): (Vec<&Task>, Vec<&Task>) = all
        .iter()
        .partition(|task| spec.stateful.contains(&task.subtopology));
    // State is dear: tasks that have some choose first, and are spread evenly by themselves.
    board.active_max = stateful.len().div_ceil(spec.members.len());
    board.place_active(&stateful);
    board.active_max = all.len().div_ceil(spec.members.len());
    board.place_active(&stateless);
    if spec.standby_replicas > 0 {
        board.place_standbys(&stateful);
    }
    board.shares
}

fn tasks(spec: &Spec<'_>) -> Vec<Task> {
    let of_part = |(id, count): (&SubtopologyId, &u32)| {
        let id = id.clone();
        (0..i32::try_from(*count).unwrap_or(i32::MAX)).map(move |partition| Task {
            subtopology: id.clone(),
            partition,
        })
    };
    spec.tasks.iter().flat_map(of_part).collect()
}

/// The members of one process, and what they have.
#[derive(Default)]
struct Process {
    members: usize,
    /// Active tasks of all its members.
    active: usize,
    /// Its members by their active tasks.
    by_active: BTreeSet<(usize, usize)>,
    /// Its members by all their tasks; only once the active ones are placed.
    by_all: BTreeSet<(usize, usize)>,
}

/// How idle a process's idlest member is: it is not full, the process's load, its own, its place.
type Idleness = (bool, usize, usize, usize);

/// Who has what so far. Members are kept in the order of their loads, so that a task costs no walk over them.
struct Board<'a> {
    spec: &'a Spec<'a>,
    shares: Vec<Tasks>,
    processes: Vec<Process>,
    /// The process of each member.
    home: Vec<usize>,
    /// The idlest member of each process.
    idlest: BTreeSet<Idleness>,
    /// By all tasks, the same.
    quietest: BTreeSet<(usize, usize)>,
    /// The process that a task is active with.
    active_with: BTreeMap<Task, usize>,
    /// Who was to have a task so far.
    was_active: BTreeMap<&'a Task, usize>,
    was_standby: BTreeMap<&'a Task, Vec<usize>>,
    /// Active tasks that a member may have at most, of those placed so far and now.
    active_max: usize,
    /// Copies that a member keeps only because it has kept them so far.
    standby_max: usize,
}

impl<'a> Board<'a> {
    fn new(spec: &'a Spec<'a>) -> Self {
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        let mut board = Self {
            spec,
            shares: vec![Tasks::default(); spec.members.len()],
            processes: Vec::new(),
            home: Vec::new(),
            idlest: BTreeSet::new(),
            quietest: BTreeSet::new(),
            active_with: BTreeMap::new(),
            was_active: BTreeMap::new(),
            was_standby: BTreeMap::new(),
            active_max: 0,
            standby_max: 0,
        };
        for (place, (_, process, had)) in spec.members.iter().enumerate() {
            let home = *names.entry(process).or_insert(board.processes.len());
            if home == board.processes.len() {
                board.processes.push(Process::default());
            }
            board.processes[home].members += 1;
            board.processes[home].by_active.insert((0, place));
            board.home.push(home);
            board
                .was_active
                .extend(had.active.iter().map(|task| (task, place)));
            for task in &had.standby {
                board.was_standby.entry(task).or_default().push(place);
            }
        }
        let stateful = spec.tasks.iter().filter(|(id, _)| spec.stateful.contains(id));
        let copies: usize = stateful.map(|(_, count)| *count as usize).sum();
        let copies = copies.saturating_mul(spec.standby_replicas as usize);
        board.standby_max = copies.div_ceil(spec.members.len());
        board
    }

    fn place_active(&mut self, tasks: &[&Task]) {
        self.idlest = (0..self.processes.len())
            .filter_map(|home| self.idleness(home))
            .collect();
        let mut rest = Vec::new();
        for task in tasks {
            match self.was_active.get(*task).copied() {
                Some(place) if self.shares[place].active.len() < self.active_max => {
                    self.give_active(task, place);
                }
                _ => rest.push(*task),
            }
        }
        let mut homeless = Vec::new();
        for task in rest {
            // Whoever keeps a copy need not fetch it; of its process's threads the idlest.
            let copies = self.was_standby.get(task).into_iter().flatten();
            let threads = copies.filter_map(|copy| self.processes[self.home[*copy]].by_active.first());
            match threads.min().copied() {
                Some((own, place)) if own < self.active_max => self.give_active(task, place),
                _ => homeless.push(task),
            }
        }
        for task in homeless {
            if let Some((_, _, _, place)) = self.idlest.first().copied() {
                self.give_active(task, place);
            }
        }
    }

    fn idleness(&self, home: usize) -> Option<Idleness> {
        let process = &self.processes[home];
        let (own, place) = process.by_active.first().copied()?;
        // The process's load for each of its threads, without fractions.
        let load = process.active * 1_000 / process.members;
        Some((own >= self.active_max, load, own, place))
    }

    fn give_active(&mut self, task: &Task, place: usize) {
        let home = self.home[place];
        if let Some(before) = self.idleness(home) {
            self.idlest.remove(&before);
        }
        let own = self.shares[place].active.len();
        let process = &mut self.processes[home];
        process.by_active.remove(&(own, place));
        process.by_active.insert((own + 1, place));
        process.active += 1;
        self.idlest.extend(self.idleness(home));
        self.active_with.insert(task.clone(), home);
        self.shares[place].active.insert(task.clone());
    }

    fn all_of(&self, place: usize) -> usize {
        self.shares[place].active.len() + self.shares[place].standby.len()
    }

    fn place_standbys(&mut self, tasks: &[&Task]) {
        for place in 0..self.shares.len() {
            let all = self.all_of(place);
            self.processes[self.home[place]].by_all.insert((all, place));
        }
        let quietest = self.processes.iter().filter_map(|process| process.by_all.first());
        self.quietest = quietest.copied().collect();
        for task in tasks {
            self.place_copies(task);
        }
    }

    fn place_copies(&mut self, task: &Task) {
        let had = self.was_standby.get(task).cloned().unwrap_or_default();
        let was_active = self.was_active.get(task).copied();
        // Processes that have the task in any role.
        let mut taken: BTreeSet<usize> = self.active_with.get(task).copied().into_iter().collect();
        for _ in 0..self.spec.standby_replicas {
            let is_free = |place: &usize| !taken.contains(&self.home[*place]);
            // It has the state already: as a copy, or since it was active there.
            let stays = had
                .iter()
                .copied()
                .chain(was_active)
                .filter(|place| is_free(place) && self.shares[*place].standby.len() < self.standby_max)
                .min_by_key(|place| (self.all_of(*place), *place));
            // At most as many processes are passed over as have the task.
            let quietest = || self.quietest.iter().map(|(_, place)| *place).find(is_free);
            let Some(place) = stays.or_else(quietest) else {
                return;
            };
            taken.insert(self.home[place]);
            self.give_standby(task, place);
        }
    }

    fn give_standby(&mut self, task: &Task, place: usize) {
        let all = self.all_of(place);
        let process = &mut self.processes[self.home[place]];
        if let Some(before) = process.by_all.first() {
            self.quietest.remove(before);
        }
        process.by_all.remove(&(all, place));
        process.by_all.insert((all + 1, place));
        self.quietest.extend(process.by_all.first().copied());
        self.shares[place].standby.insert(task.clone());
    }
}
