//! Transparent huge pages are not for this program.
//!
//! A plugin's call writes some ten pages of 4 KiB. With a huge page of 2 MiB beneath, the system clears and
//! looks through all of it at every call: that took a third of a commit's time, and 16 MB of a server that
//! has just started. Some distributions give huge pages to everybody, others to who asks, so the whole
//! process says that it wants none.

/// Has the process get none from now on. Where that cannot be said, everything works as before, more slowly.
#[cfg(target_os = "linux")]
pub fn do_without() {
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Only Linux has them in this form.
#[cfg(not(target_os = "linux"))]
pub fn do_without() {}
