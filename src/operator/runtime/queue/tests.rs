use super::{CHECK_GAP, LOOP_PASSES, LOOP_WINDOW, Queue, REFRESH_LATEST, REFRESH_QUIET, Work};
use std::time::Duration;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn all(queue: &mut Queue<u32>, now: Duration) -> Vec<(u32, Work)> {
    std::iter::from_fn(|| queue.next(now, true)).collect()
}

#[test]
fn what_has_changed_comes_before_what_is_due() {
    let mut queue = Queue::default();
    for key in 0..3 {
        queue.schedule(&key, at(0));
    }
    queue.push(&9);
    queue.push(&8);
    let order: Vec<u32> = all(&mut queue, at(1)).into_iter().map(|(key, _)| key).collect();
    assert_eq!(order, [9, 8, 0, 1, 2]);
}

#[test]
fn what_is_due_waits_where_there_is_room_for_changes_only() {
    let mut queue = Queue::default();
    queue.schedule(&1, at(0));
    assert_eq!(queue.next(at(1), false), None);
    queue.push(&2);
    assert_eq!(queue.next(at(1), false), Some((2, Work::Pass)));
    assert_eq!(queue.next(at(1), true), Some((1, Work::Pass)));
}

#[test]
fn a_burst_of_changes_is_one_pass_and_one_more_if_it_came_meanwhile() {
    let mut queue = Queue::default();
    for _ in 0..100 {
        queue.push(&1);
    }
    assert_eq!(all(&mut queue, at(0)), [(1, Work::Pass)]);
    for _ in 0..100 {
        queue.push(&1);
    }
    assert_eq!(all(&mut queue, at(0)), []);
    queue.done(&1, Some(at(600)), None);
    assert_eq!(all(&mut queue, at(0)), [(1, Work::Pass)]);
    queue.done(&1, Some(at(600)), None);
    assert_eq!(all(&mut queue, at(599)), []);
    assert_eq!(all(&mut queue, at(600)), [(1, Work::Pass)]);
}

#[test]
fn the_earlier_of_two_moments_counts() {
    let mut queue = Queue::default();
    queue.schedule(&1, at(10));
    queue.schedule(&1, at(5));
    queue.schedule(&1, at(20));
    assert_eq!(queue.next_moment(), Some(at(5)));
    assert_eq!(all(&mut queue, at(5)), [(1, Work::Pass)]);
    queue.done(&1, None, None);
    assert_eq!(queue.next_moment(), None);
}

#[test]
fn checks_come_last_and_no_more_than_fifty_a_second() {
    let mut queue = Queue::default();
    for key in 0..100 {
        queue.push(&key);
    }
    for (key, _) in all(&mut queue, at(0)) {
        queue.done(&key, Some(at(600)), Some(at(60)));
    }
    let mut checks = 0;
    let mut now = at(60);
    while now < at(61) {
        checks += all(&mut queue, now).len();
        now += Duration::from_millis(1);
    }
    assert_eq!(checks, 50);
    assert_eq!(CHECK_GAP * 50, at(1));
}

#[test]
fn a_pass_takes_the_place_of_a_check() {
    let mut queue = Queue::default();
    queue.push(&1);
    assert_eq!(all(&mut queue, at(0)), [(1, Work::Pass)]);
    queue.done(&1, Some(at(600)), Some(at(60)));
    queue.push(&1);
    assert_eq!(all(&mut queue, at(70)), [(1, Work::Pass)]);
}

#[test]
fn a_check_that_finds_a_change_leads_to_a_pass() {
    let mut queue = Queue::default();
    queue.push(&1);
    assert_eq!(all(&mut queue, at(0)), [(1, Work::Pass)]);
    queue.done(&1, Some(at(600)), Some(at(60)));
    assert_eq!(all(&mut queue, at(60)), [(1, Work::Check)]);
    queue.push(&1);
    queue.done(&1, None, None);
    assert_eq!(all(&mut queue, at(60)), [(1, Work::Pass)]);
}

#[test]
fn a_burst_of_refreshes_is_one_pass_once_it_is_over() {
    let mut queue = Queue::default();
    queue.push(&1);
    assert_eq!(all(&mut queue, at(0)), [(1, Work::Pass)]);
    queue.done(&1, Some(at(600)), None);
    for second in 10..20 {
        queue.refresh(&1, at(second));
    }
    assert_eq!(queue.next_moment(), Some(at(19) + REFRESH_QUIET));
    assert_eq!(all(&mut queue, at(21)), [(1, Work::Pass)]);
}

#[test]
fn a_burst_without_end_is_one_pass_now_and_then() {
    let mut queue = Queue::default();
    let mut passes = 0;
    for second in 0..300 {
        queue.refresh(&1, at(second));
        for (key, _) in all(&mut queue, at(second)) {
            passes += 1;
            queue.done(&key, None, None);
        }
    }
    assert_eq!(passes, 300 / REFRESH_LATEST.as_secs() - 1);
}

#[test]
fn a_refresh_that_is_asked_for_during_a_pass_follows_it() {
    let mut queue = Queue::default();
    queue.push(&1);
    assert_eq!(all(&mut queue, at(0)), [(1, Work::Pass)]);
    queue.refresh(&1, at(1));
    assert_eq!(all(&mut queue, at(9)), []);
    queue.done(&1, Some(at(600)), None);
    assert_eq!(all(&mut queue, at(9)), [(1, Work::Pass)]);
}

#[test]
fn an_object_never_has_two_turns_at_a_time() {
    let mut queue = Queue::default();
    queue.push(&1);
    assert_eq!(all(&mut queue, at(0)), [(1, Work::Pass)]);
    queue.done(&1, Some(at(61)), Some(at(60)));
    assert_eq!(all(&mut queue, at(60)), [(1, Work::Check)]);
    assert_eq!(all(&mut queue, at(62)), []);
    queue.done(&1, None, None);
    assert_eq!(all(&mut queue, at(62)), [(1, Work::Pass)]);
}

#[test]
fn an_object_that_runs_in_circles_is_slowed_down() {
    let mut queue = Queue::default();
    let mut passes = 0;
    for tick in 0..1_000 {
        let now = Duration::from_millis(tick);
        queue.push(&1);
        while let Some((key, _)) = queue.next(now, true) {
            passes += 1;
            queue.done(&key, Some(at(600)), None);
        }
    }
    assert_eq!(passes, LOOP_PASSES);
    assert!(queue.next(LOOP_WINDOW, true).is_some());
}

#[test]
fn what_is_done_for_good_is_forgotten() {
    let mut queue = Queue::default();
    queue.push(&1);
    assert_eq!(all(&mut queue, at(0)), [(1, Work::Pass)]);
    queue.done(&1, None, None);
    assert!(queue.entries.is_empty());
}
