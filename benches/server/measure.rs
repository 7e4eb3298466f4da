//! Running something with many clients for a while, and how long each took.

use std::time::{Duration, Instant};

/// What came of it.
pub struct Figures {
    pub per_second: f64,
    pub p99: Duration,
}

impl Figures {
    /// Of so many runs in that time.
    pub fn new(mut took: Vec<Duration>, elapsed: Duration) -> Self {
        took.sort_unstable();
        let place = (took.len() * 99 / 100).min(took.len().saturating_sub(1));
        let p99 = took.get(place).copied().unwrap_or_default();
        Self { per_second: took.len() as f64 / elapsed.as_secs_f64(), p99 }
    }

    /// Its rate as a ratio to the floor's.
    pub fn of(&self, floor: &Self) -> f64 {
        self.per_second / floor.per_second
    }
}

/// Lets each of `clients` do `work(client, number)` one after the other until the time is over.
pub async fn run<F>(
    clients: usize,
    time: Duration,
    work: impl Fn(usize, usize) -> F + Clone + Send + 'static,
) -> Figures
where
    F: Future<Output = ()> + Send,
{
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..clients {
        let work = work.clone();
        tasks.spawn(async move {
            let mut took = Vec::new();
            while begun.elapsed() < time {
                let start = Instant::now();
                work(client, took.len()).await;
                took.push(start.elapsed());
            }
            took
        });
    }
    let took = tasks.join_all().await.into_iter().flatten().collect();
    Figures::new(took, begun.elapsed())
}
