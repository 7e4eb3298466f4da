//! What a pass over an object comes to: a plan, its verdict, and what the runner makes of both.

use crate::api::Reason;
use std::time::Duration;

/// How an object stands after a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is as the spec asks. While being deleted: nothing is left, the object may go.
    Ready,
    /// Not yet; what is missing comes by itself or by others, without a change of this object.
    Waiting(Reason, String),
    /// It does not go on until a person changes something. The message says what.
    Blocked(Reason, String),
}

impl Verdict {
    /// A refusal that ends once something else comes about.
    pub fn waiting(reason: Reason, message: impl Into<String>) -> Self {
        Self::Waiting(reason, message.into())
    }

    /// A refusal that a person must end.
    pub fn blocked(reason: Reason, message: impl Into<String>) -> Self {
        Self::Blocked(reason, message.into())
    }

    /// Whether all is as the spec asks.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready)
    }
}

/// A refusal that a pure rule makes: it becomes [`Verdict::Blocked`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked(pub Reason, pub String);

impl Blocked {
    /// A refusal with its message.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self(reason, message.into())
    }
}

impl From<Blocked> for Verdict {
    fn from(Blocked(reason, message): Blocked) -> Self {
        Self::Blocked(reason, message)
    }
}

/// A condition that only some kinds have, such as `SecretPublished` or `OrphanedKeys`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extra {
    /// The condition's type.
    pub kind: &'static str,
    /// `True` or `False`.
    pub holds: bool,
    /// Why.
    pub reason: Reason,
    /// For people; stable while nothing changes.
    pub message: String,
}

/// What is to be done about an object, and how it stands once nothing is left to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<S> {
    /// The steps, in order. After the last one the object is observed again.
    pub steps: Vec<S>,
    /// How the object stands. It counts only where there are no steps.
    pub verdict: Verdict,
    /// The kind's own conditions: all of them; those that are not named are removed.
    pub extra: Vec<Extra>,
}

impl<S> Plan<S> {
    /// Nothing to do.
    pub fn settled(verdict: Verdict) -> Self {
        Self { steps: Vec::new(), verdict, extra: Vec::new() }
    }

    /// Something to do; all is well where nothing is.
    pub fn doing(steps: Vec<S>) -> Self {
        Self { steps, verdict: Verdict::Ready, extra: Vec::new() }
    }

    /// The same with the kind's own conditions.
    #[must_use]
    pub fn with_extra(mut self, extra: Vec<Extra>) -> Self {
        self.extra = extra;
        self
    }
}

/// How a pass ended, for the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How the object stands.
    pub ended: Ended,
    /// When to look again, where that is sooner than the rule for `ended` says.
    pub again: Option<Duration>,
}

/// How an object stands, for the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// As the spec asks.
    Ready,
    /// Not yet.
    Waiting,
    /// Refused.
    Blocked,
    /// The object is gone or no longer ours: nothing to come back for.
    Gone,
}

impl Outcome {
    /// The outcome of an object that is gone.
    pub const GONE: Self = Self { ended: Ended::Gone, again: None };

    /// The same, looked at again after this time at the latest.
    #[must_use]
    pub fn again_after(mut self, after: Duration) -> Self {
        self.again = Some(self.again.map_or(after, |before| before.min(after)));
        self
    }
}

impl From<&Verdict> for Outcome {
    fn from(verdict: &Verdict) -> Self {
        let ended = match verdict {
            Verdict::Ready => Ended::Ready,
            Verdict::Waiting(..) => Ended::Waiting,
            Verdict::Blocked(..) => Ended::Blocked,
        };
        Self { ended, again: None }
    }
}
