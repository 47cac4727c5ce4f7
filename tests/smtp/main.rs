//! The SMTP client against the sandbox, which does wrong what servers do wrong, and against servers that nobody here
//! wrote.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod aiosmtpd;
mod credentials;
mod faults;
mod odd_tls;
mod peers;
mod round_trips;
mod scene;
mod self_signed;
mod shared;
mod smtp_server;
mod stalls;
mod stored_first;
mod tap;
