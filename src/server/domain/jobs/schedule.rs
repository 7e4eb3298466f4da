//! Schedules: the five fields of cron, read in the time zone of the job's owner.
//!
//! Minute, hour, day of the month, month, day of the week (0 and 7 are Sunday), as cron has them: where both kinds of
//! day are restricted, either will do. A fixed time that a change of the clocks skips comes right after the gap, and one
//! that comes twice counts once; what is to be repeated goes on whatever the clocks do.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use thiserror::Error;

/// The longest text.
const LONGEST: usize = 128;

/// What is wrong with a schedule; the text goes on after the field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ScheduleError {
    /// Not five fields that can be read.
    #[error("must have five cron fields: minute, hour, day of the month, month, day of the week")]
    Unreadable,
    /// It never comes, such as on the 30th of February.
    #[error("names a time that never comes")]
    Never,
}

/// Times at which a job runs.
#[derive(Clone, Debug)]
pub struct Schedule(Cron);

impl Schedule {
    /// Reads five fields.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        if text.len() > LONGEST {
            return Err(ScheduleError::Unreadable);
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        parser.parse(text).map(Self).map_err(|_| ScheduleError::Unreadable)
    }

    /// The first time after this one; an error where none ever comes.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Result<Timestamp, ScheduleError> {
        let after = after.to_zoned(zone.clone());
        let found = self.0.find_next_occurrence(&after, false).map_err(|_| ScheduleError::Never)?;
        Ok(found.timestamp())
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
