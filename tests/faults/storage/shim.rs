//! A disk and a clock that do what they are told: a few lines of C between the program and the system,
//! built by the compiler that Rust links with. A file in a folder switches each fault on and off.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The number in the file of this name, one less each time; -1 when there is none. */
static long left(const char *name) {
    char path[4096], text[32] = {0};
    snprintf(path, sizeof path, "%s/%s", getenv("FAULTS"), name);
    int fd = open(path, O_RDWR);
    if (fd < 0) return -1;
    ssize_t got = read(fd, text, sizeof text - 1);
    long number = got > 0 ? atol(text) : 0;
    if (number > 0) {
        int written = snprintf(text, sizeof text, "%ld\n", number - 1);
        lseek(fd, 0, SEEK_SET);
        if (ftruncate(fd, 0) == 0) REAL(write)(fd, text, written);
    }
    close(fd);
    return number;
}

static int fails(const char *name, int error) {
    if (left(name) != 0) return 0;
    errno = error;
    return 1;
}

static int grows(int fd, off64_t end) {
    struct stat now;
    return fstat(fd, &now) == 0 && end > now.st_size && fails("grow", ENOSPC);
}

int fdatasync(int fd) { return fails("sync", EIO) ? -1 : REAL(fdatasync)(fd); }
int fsync(int fd) { return fails("sync", EIO) ? -1 : REAL(fsync)(fd); }

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    if (grows(fd, at + (off64_t)count) || fails("write", EIO) || fails("full", ENOSPC)) return -1;
    return REAL(pwrite64)(fd, bytes, count, at);
}

/* What else is written to a disk; what is said is no matter of it. */
ssize_t write(int fd, const void *bytes, size_t count) {
    struct stat now;
    int to_disk = fd > 2 && fstat(fd, &now) == 0 && S_ISREG(now.st_mode);
    if (to_disk && grows(fd, lseek(fd, 0, SEEK_CUR) + (off64_t)count)) return -1;
    return REAL(write)(fd, bytes, count);
}

int ftruncate64(int fd, off64_t length) {
    if (grows(fd, length) || fails("full", ENOSPC)) return -1;
    return REAL(ftruncate64)(fd, length);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = REAL(clock_gettime)(clock, now);
    if (clock == CLOCK_REALTIME && left("ahead") == 0) now->tv_sec += 10L * 365 * 86400;
    return done;
}
"#;

/// The library, and the folder of its switches.
pub(super) struct Shim {
    library: PathBuf,
    switches: PathBuf,
}

impl Shim {
    /// Builds it in a folder of the test's own.
    pub(super) fn build(folder: &Path) -> Self {
        let (source, library) = (folder.join("shim.c"), folder.join("shim.so"));
        fs::write(&source, SOURCE).unwrap();
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-w", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .status();
        assert!(built.unwrap().success());
        let switches = folder.join("switches");
        fs::create_dir(&switches).unwrap();
        Self { library, switches }
    }

    /// Lets a call of this kind pass so many times, and fail from then on.
    pub(super) fn on(&self, name: &str, after: u64) {
        fs::write(self.switches.join(name), format!("{after}\n")).unwrap();
    }

    pub(super) fn off(&self, name: &str) {
        fs::remove_file(self.switches.join(name)).unwrap();
    }

    /// What a command needs to be under it.
    pub(super) fn variables(&self) -> [(&'static str, &Path); 2] {
        [("LD_PRELOAD", &self.library), ("FAULTS", &self.switches)]
    }

    /// The same, for a shell.
    pub(super) fn exports(&self) -> String {
        let set = self.variables();
        let set = set.map(|(name, path)| format!("export {name}='{}'", path.display()));
        set.join("; ")
    }
}
