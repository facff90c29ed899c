use std::time::{Duration, Instant};

/// How many of its longest steps a cancelled job is waited for: the stages of a job take differently long ones.
const NUM_STEPS: u32 = 3;

/// However long its steps are: nobody waits longer for something that was cancelled.
const LONGEST_GRACE: Duration = Duration::from_mins(1);

/// How long a worker's steps take. A worker hears of a cancelled job between two steps, and when it is killed for not
/// answering, its models and the stages that it kept are lost.
#[derive(Default)]
pub(super) struct Pace {
    longest_step: Duration,
    step_began: Option<Instant>,
}

impl Pace {
    /// A job or a stage begins. What comes before its first step may be anything, such as loading a model.
    pub(super) fn begin(&mut self) {
        self.step_began = None;
    }

    /// A step was done at `now`.
    pub(super) fn step(&mut self, now: Instant) {
        if let Some(began) = self.step_began {
            self.longest_step = self.longest_step.max(now.duration_since(began));
        }
        self.step_began = Some(now);
    }

    /// How long to wait for the end of a cancelled job, `least` or longer.
    pub(super) fn grace(&self, least: Duration) -> Duration {
        least.max((self.longest_step * NUM_STEPS).min(LONGEST_GRACE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Duration = Duration::from_secs(10);

    #[test]
    fn a_cancelled_job_is_left_the_time_of_its_steps() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let mut steps_at = |seconds: &[u64]| {
            pace.begin();
            for second in seconds {
                pace.step(start + Duration::from_secs(*second));
            }
            pace.grace(LEAST).as_secs()
        };
        assert_eq!(steps_at(&[]), 10, "nothing is known");
        assert_eq!(steps_at(&[1, 2, 4]), 10, "short ones");
        // 36 seconds go by before the stage's first step is done.
        assert_eq!(steps_at(&[40, 48, 49]), 24, "the longest took 8 seconds");
        assert_eq!(steps_at(&[100, 101]), 24, "and one may come again");
        assert_eq!(steps_at(&[200, 500]), 60, "five minutes are too long");
    }

    #[test]
    fn more_patience_than_the_longest_is_kept() {
        let day = Duration::from_hours(24);
        assert_eq!(Pace::default().grace(day), day);
    }
}
