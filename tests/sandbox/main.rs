//! The sandbox judges the provider, so it is judged itself: over a raw connection, and by a third-party mail
//! client.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

mod client;
mod example_mail;
mod faults;
mod hostup;
mod http;
mod hubspot;
mod kirim_email;
mod smtp;
mod smtp_faults;
mod smtpd;
