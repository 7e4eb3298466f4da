//! Which object is next: a pure data structure; time is an argument.
//!
//! Objects that have changed come first, in the order in which they changed. Then what is due by time (retries, resyncs,
//! refreshes), then cheap checks. An object is worked on by one task at a time; what changes meanwhile counts once.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

/// A moment on a monotonic clock, since the queue was made.
pub type Moment = Duration;

/// Checks are this far apart, whatever their number: 50 a second.
const CHECK_GAP: Duration = Duration::from_millis(20);
/// A refresh comes once it has not been asked for during this time, so that a burst is one refresh,
const REFRESH_QUIET: Duration = Duration::from_secs(2);
/// but no later than this after it was asked for first.
const REFRESH_LATEST: Duration = Duration::from_secs(30);
/// More passes over one object than this in this time are a loop, which is slowed down.
const LOOP_PASSES: u32 = 30;
const LOOP_WINDOW: Duration = Duration::from_secs(10);

/// What is to be done about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A whole pass.
    Pass,
    /// A cheap look.
    Check,
}

/// Objects that wait for their turn, and those that have it.
pub struct Queue<K> {
    fresh: VecDeque<K>,
    due: BTreeSet<(Moment, K)>,
    refreshes: BTreeSet<(Moment, K)>,
    checks: BTreeSet<(Moment, K)>,
    next_check: Moment,
    entries: HashMap<K, Entry>,
}

#[derive(Default)]
struct Entry {
    fresh: bool,
    due: Option<Moment>,
    check: Option<Moment>,
    running: bool,
    /// It changed while it was worked on.
    changed: bool,
    /// When a refresh was asked for first, and when it comes.
    refresh: Option<(Moment, Moment)>,
    window: (Moment, u32),
}

impl<K> Default for Queue<K> {
    fn default() -> Self {
        Self {
            fresh: VecDeque::new(),
            due: BTreeSet::new(),
            refreshes: BTreeSet::new(),
            checks: BTreeSet::new(),
            next_check: Moment::ZERO,
            entries: HashMap::new(),
        }
    }
}

impl<K: Clone + Ord + Hash> Queue<K> {
    /// The object has changed: a pass as soon as there is room.
    pub fn push(&mut self, key: &K) {
        let entry = self.entries.entry(key.clone()).or_default();
        if entry.running {
            entry.changed = true;
        } else if !entry.fresh {
            entry.fresh = true;
            self.fresh.push_back(key.clone());
        }
    }

    /// A pass at that moment, or earlier where one is due already.
    pub fn schedule(&mut self, key: &K, at: Moment) {
        let entry = self.entries.entry(key.clone()).or_default();
        if entry.due.is_some_and(|due| due <= at) {
            return;
        }
        if let Some(due) = entry.due.replace(at) {
            self.due.remove(&(due, key.clone()));
        }
        if !entry.running {
            self.due.insert((at, key.clone()));
        }
    }

    /// Something has changed that the object only counts: a pass soon, but not for every change.
    pub fn refresh(&mut self, key: &K, now: Moment) {
        let entry = self.entries.entry(key.clone()).or_default();
        let first = match entry.refresh {
            Some((first, planned)) => {
                self.refreshes.remove(&(planned, key.clone()));
                first
            }
            None => now,
        };
        let at = (now + REFRESH_QUIET).min(first + REFRESH_LATEST);
        entry.refresh = Some((first, at));
        self.refreshes.insert((at, key.clone()));
    }

    /// The next object, if one is due. `background` says whether there is room for what nobody has just changed.
    pub fn next(&mut self, now: Moment, background: bool) -> Option<(K, Work)> {
        while let Some(key) = self.fresh.pop_front() {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.fresh = false;
            }
            if self.start(&key, now) {
                return Some((key, Work::Pass));
            }
        }
        if !background {
            return None;
        }
        while let Some(key) = take_due(&mut self.due, now) {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.due = None;
            }
            if self.start(&key, now) {
                return Some((key, Work::Pass));
            }
        }
        while let Some(key) = take_due(&mut self.refreshes, now) {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.refresh = None;
            }
            if self.start(&key, now) {
                return Some((key, Work::Pass));
            }
        }
        if now < self.next_check {
            return None;
        }
        let key = take_due(&mut self.checks, now)?;
        self.next_check = now + CHECK_GAP;
        let entry = self.entries.entry(key.clone()).or_default();
        entry.check = None;
        entry.running = true;
        Some((key, Work::Check))
    }

    /// Gives the object its turn, unless it has it already or runs in circles.
    fn start(&mut self, key: &K, now: Moment) -> bool {
        let entry = self.entries.entry(key.clone()).or_default();
        if entry.running {
            entry.changed = true;
            return false;
        }
        let (began, passes) = entry.window;
        entry.window = if now >= began + LOOP_WINDOW { (now, 1) } else { (began, passes + 1) };
        let (began, passes) = entry.window;
        if passes > LOOP_PASSES {
            self.schedule(key, began + LOOP_WINDOW);
            return false;
        }
        if std::mem::take(&mut entry.fresh) {
            self.fresh.retain(|other| other != key);
        }
        entry.running = true;
        if let Some(due) = entry.due.take() {
            self.due.remove(&(due, key.clone()));
        }
        if let Some((_, refresh)) = entry.refresh.take() {
            self.refreshes.remove(&(refresh, key.clone()));
        }
        if let Some(check) = entry.check.take() {
            self.checks.remove(&(check, key.clone()));
        }
        true
    }

    /// The object's turn is over: when to come back to it, for a pass and for a check.
    pub fn done(&mut self, key: &K, pass: Option<Moment>, check: Option<Moment>) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.running = false;
        if let Some(planned) = entry.due.take() {
            // Asked for while the object had its turn.
            self.schedule(key, planned);
        }
        if let Some(pass) = pass {
            self.schedule(key, pass);
        }
        let Some(entry) = self.entries.get_mut(key) else { return };
        if let Some(check) = check {
            if let Some(old) = entry.check.replace(check) {
                self.checks.remove(&(old, key.clone()));
            }
            self.checks.insert((check, key.clone()));
        }
        if std::mem::take(&mut entry.changed) {
            self.push(key);
        } else if entry.due.is_none() && entry.check.is_none() && entry.refresh.is_none() && !entry.fresh {
            self.entries.remove(key);
        }
    }

    /// When there will be something to do that is not yet.
    pub fn next_moment(&self) -> Option<Moment> {
        let due = self.due.first().map(|(at, _)| *at);
        let refresh = self.refreshes.first().map(|(at, _)| *at);
        let check = self.checks.first().map(|(at, _)| (*at).max(self.next_check));
        [due, refresh, check].into_iter().flatten().min()
    }

    /// How many objects have changed and wait.
    pub fn waiting(&self) -> usize {
        self.fresh.len()
    }
}

fn take_due<K: Clone + Ord>(set: &mut BTreeSet<(Moment, K)>, now: Moment) -> Option<K> {
    if set.first().is_some_and(|(at, _)| *at <= now) { set.pop_first().map(|(_, key)| key) } else { None }
}

#[cfg(test)]
mod tests;
