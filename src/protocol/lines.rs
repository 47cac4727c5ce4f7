//! Writes lines on a separate thread, so a slow or stalled reader blocks nothing else.

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// A queue of lines. Lines that do not fit are dropped, and a later line reports how many.
#[derive(Debug)]
pub(super) struct Lines {
    queue: Mutex<Queue>,
    changed: Condvar,
    /// Formats the line that reports the number of dropped lines.
    notice: fn(u64) -> String,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Line>,
    /// The total length of the queue, in bytes.
    length: usize,
    /// The number of lines dropped since the last notice.
    dropped: u64,
    is_writing: bool,
}

#[derive(Debug)]
struct Line {
    text: String,
    /// The number of lines that are lost if this one is.
    worth: u64,
}

impl Lines {
    /// Starts the thread that writes to `sink`.
    pub(super) fn start(sink: impl Write + Send + 'static, notice: fn(u64) -> String) -> io::Result<Arc<Self>> {
        let lines = Arc::new(Self { queue: Mutex::default(), changed: Condvar::new(), notice });
        let writer = lines.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || writer.write(sink))?;
        Ok(lines)
    }

    /// Queues a line including its line break, or drops it. Never blocks.
    pub(super) fn push(&self, text: String) {
        let mut queue = self.queue();
        // After a drop, drop everything until the queue is empty, so the notice appears where the lines are missing.
        let is_behind = queue.dropped > 0 && !queue.waiting.is_empty();
        if is_behind || queue.length + text.len() > MOST_WAITING {
            queue.dropped = queue.dropped.saturating_add(1);
            return;
        }
        self.give_notice(&mut queue);
        queue.add(Line { text, worth: 1 });
        self.changed.notify_all();
    }

    /// Waits until everything is written, for at most `most`.
    pub(super) fn flush(&self, most: Duration) {
        let mut queue = self.queue();
        self.give_notice(&mut queue);
        self.changed.notify_all();
        let is_busy = |queue: &mut Queue| queue.is_writing || !queue.waiting.is_empty();
        let _ = self.changed.wait_timeout_while(queue, most, is_busy);
    }

    fn give_notice(&self, queue: &mut Queue) {
        let dropped = std::mem::take(&mut queue.dropped);
        if dropped > 0 {
            queue.add(Line { text: (self.notice)(dropped), worth: dropped });
        }
    }

    fn write(&self, mut sink: impl Write) {
        let (mut is_cut, mut lost) = (false, 0_u64);
        loop {
            let line = self.next();
            // End a truncated line before the next one.
            let mut text = if is_cut { "\n".to_owned() } else { String::new() };
            if lost > 0 {
                text.push_str(&(self.notice)(lost));
            }
            let ahead = text.len();
            text.push_str(&line.text);

            let written = write_all(&mut sink, text.as_bytes());
            lost = if written >= ahead { 0 } else { lost };
            if written < text.len() {
                lost = lost.saturating_add(line.worth);
                // If nothing was written, the end of the previous line is still missing.
                is_cut = written > 0 || is_cut;
            } else {
                is_cut = false;
            }
            self.written(&mut lost);
        }
    }

    /// If the queue is empty, leaves the notice of lost lines to the next line.
    fn written(&self, lost: &mut u64) {
        let mut queue = self.queue();
        if queue.waiting.is_empty() {
            queue.dropped = queue.dropped.saturating_add(std::mem::take(lost));
        }
        queue.is_writing = false;
        self.changed.notify_all();
    }

    /// Waits for the next line.
    fn next(&self) -> Line {
        let mut queue = self.queue();
        loop {
            if let Some(line) = queue.waiting.pop_front() {
                queue.length -= line.text.len();
                queue.is_writing = true;
                return line;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn add(&mut self, line: Line) {
        self.length += line.text.len();
        self.waiting.push_back(line);
    }
}

/// Writes as much as possible. Returns the number of bytes.
fn write_all(sink: &mut impl Write, bytes: &[u8]) -> usize {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match sink.write(rest) {
            Ok(0) => break,
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Another process that shares the file has set it to non-blocking.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(PAUSE_WHERE_FULL),
            Err(_) => break,
        }
    }
    written
}

/// The maximum length of the queue, in bytes.
const MOST_WAITING: usize = 1 << 20;

const PAUSE_WHERE_FULL: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver, Sender};

    use proptest::prelude::*;

    use super::*;

    /// A sink that waits for leave to write: each message says how many bytes it takes, or that it fails.
    struct Gated {
        leave: Receiver<io::Result<usize>>,
        taken: Sender<Vec<u8>>,
    }

    impl Write for Gated {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // With nobody left to give leave, it takes everything.
            let most = self.leave.recv().unwrap_or(Ok(usize::MAX))?.min(bytes.len());
            let _ = self.taken.send(bytes[..most].to_vec());
            Ok(most)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gated() -> (Arc<Lines>, Sender<io::Result<usize>>, Receiver<Vec<u8>>) {
        let ((leave, waits), (taken, seen)) = (mpsc::channel(), mpsc::channel());
        let lines = Lines::start(Gated { leave: waits, taken }, |dropped| format!("{dropped} dropped\n")).unwrap();
        (lines, leave, seen)
    }

    /// Everything that is written once the sink writes freely.
    fn rest(lines: &Lines, leave: Sender<io::Result<usize>>, seen: &Receiver<Vec<u8>>) -> String {
        drop(leave);
        lines.flush(Duration::from_secs(60));
        // What was lost during the first.
        lines.flush(Duration::from_secs(60));
        String::from_utf8(seen.try_iter().flatten().collect()).unwrap()
    }

    fn number(number: usize) -> String {
        format!("{number:0>999}\n")
    }

    #[test]
    fn a_reader_that_does_not_read_holds_up_nobody_and_learns_what_it_missed() {
        let (lines, leave, seen) = gated();
        for line in 0..3000 {
            lines.push(number(line));
        }
        lines.flush(Duration::ZERO);
        let text = rest(&lines, leave, &seen);
        let written: Vec<_> = text.lines().collect();
        let kept = written.len() - 1;
        // One may have been on its way already when the others came.
        assert!((MOST_WAITING / 1000..=MOST_WAITING / 1000 + 1).contains(&kept), "{kept}");
        assert!(written[..kept].iter().enumerate().all(|(at, line)| format!("{line}\n") == number(at)));
        assert_eq!(written[kept], format!("{} dropped", 3000 - kept));

        lines.push("after\n".to_owned());
        lines.flush(Duration::from_secs(60));
        assert_eq!(seen.try_iter().flatten().collect::<Vec<_>>(), b"after\n");
    }

    #[test]
    fn a_full_disk_and_a_full_pipe_lose_what_did_not_fit_and_nothing_else() {
        let (lines, leave, seen) = gated();
        for step in [Ok(2), Err(io::ErrorKind::WouldBlock.into()), Err(io::ErrorKind::Interrupted.into()), Ok(100)] {
            leave.send(step).unwrap();
        }
        lines.push("first\n".to_owned());
        lines.flush(Duration::from_secs(60));
        for step in [Ok(3), Err(io::ErrorKind::StorageFull.into()), Ok(100), Ok(100)] {
            leave.send(step).unwrap();
        }
        lines.push("second\n".to_owned());
        lines.flush(Duration::from_secs(60));
        lines.push("third\n".to_owned());
        assert_eq!(rest(&lines, leave, &seen), "first\nsec\n1 dropped\nthird\n");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        /// Whatever the reader does: every line is written whole and in order, or is counted where it is missing.
        #[test]
        fn every_line_is_written_or_counted(steps in proptest::collection::vec(0..5_u8, 0..40)) {
            let (lines, leave, seen) = gated();
            let mut pushed = 0;
            for step in steps {
                match step {
                    0 => leave.send(Ok(usize::MAX)).unwrap(),
                    1 => leave.send(Ok(700)).unwrap(),
                    2 => leave.send(Err(io::ErrorKind::StorageFull.into())).unwrap(),
                    _ => (0..step as usize * 150).for_each(|_| {
                        lines.push(number(pushed));
                        pushed += 1;
                    }),
                }
            }
            let text = rest(&lines, leave, &seen);
            let mut expected = 0;
            for line in text.lines() {
                match line.strip_suffix(" dropped") {
                    Some(dropped) => expected += dropped.parse::<usize>().unwrap(),
                    // What was cut off is counted by the next notice.
                    None if line.len() < 999 => {}
                    None => {
                        prop_assert_eq!(format!("{line}\n"), number(expected));
                        expected += 1;
                    }
                }
            }
            prop_assert_eq!(expected, pushed);
        }
    }
}
