/* Makes calls that write fail, in a process that is loaded with it (LD_PRELOAD).
 *
 * Counted are write, pwrite, writev, ftruncate, fsync, fdatasync and rename of regular files below FAULT_BELOW. FAULT_AT
 * is the number of the call that fails, FAULT_HOW how: `eio`, `enospc`, `edquot`, `short` (half of the bytes are written), `lost`
 * (nothing is written and success is returned), `kill` (the process ends before the call). With FAULT_STAYS set all calls behind
 * it fail as well. FAULT_COUNT is a file that the number of calls is written to. It needs nothing but libc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum how { NONE, EIO_, ENOSPC_, EDQUOT_, SHORT, LOST, KILL };

static atomic_long calls;
static long fail_at = -1;
static int stays;
static enum how how;
static char below[PATH_MAX];

__attribute__((constructor)) static void begin(void) {
    static const char *names[] = {"none", "eio", "enospc", "edquot", "short", "lost", "kill"};
    const char *at = getenv("FAULT_AT"), *given = getenv("FAULT_HOW"), *folder = getenv("FAULT_BELOW");
    for (int i = 0; given && i < 7; i++)
        if (!strcmp(given, names[i])) how = (enum how)i;
    if (at) fail_at = atol(at);
    if (folder) snprintf(below, sizeof below, "%s", folder);
    stays = getenv("FAULT_STAYS") != NULL;
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("FAULT_COUNT");
    if (!path) return;
    FILE *file = fopen(path, "w");
    if (!file) return;
    how = NONE;
    fprintf(file, "%ld\n", atomic_load(&calls));
    fclose(file);
}

static int is_below(const char *path) { return below[0] && !strncmp(path, below, strlen(below)); }

static int is_file_below(int fd) {
    char link[64], path[PATH_MAX];
    struct stat stat;
    if (!below[0] || fstat(fd, &stat) || !S_ISREG(stat.st_mode)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0) return 0;
    path[len] = 0;
    return is_below(path);
}

/* How this call fails. */
static enum how next(int counted) {
    if (!counted) return NONE;
    long call = atomic_fetch_add(&calls, 1);
    enum how now = call == fail_at || (stays && fail_at >= 0 && call > fail_at) ? how : NONE;
    if (now == KILL) kill(getpid(), SIGKILL);
    return now;
}

static int number(enum how how) { return how == EIO_ ? EIO : how == ENOSPC_ ? ENOSPC : how == EDQUOT_ ? EDQUOT : 0; }

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

ssize_t write(int fd, const void *from, size_t len) {
    ssize_t (*real)(int, const void *, size_t) = REAL("write", ssize_t (*)(int, const void *, size_t));
    enum how now = next(is_file_below(fd));
    if (number(now)) return errno = number(now), -1;
    if (now == LOST) {
        /* The place moves on as it would. */
        lseek(fd, (off_t)len, SEEK_CUR);
        return (ssize_t)len;
    }
    return real(fd, from, now == SHORT && len > 1 ? len / 2 : len);
}

static ssize_t write_at(const char *name, int fd, const void *from, size_t len, off_t offset) {
    ssize_t (*real)(int, const void *, size_t, off_t) = REAL(name, ssize_t (*)(int, const void *, size_t, off_t));
    enum how now = next(is_file_below(fd));
    if (number(now)) return errno = number(now), -1;
    if (now == LOST) return (ssize_t)len;
    return real(fd, from, now == SHORT && len > 1 ? len / 2 : len, offset);
}

ssize_t pwrite(int fd, const void *from, size_t len, off_t offset) { return write_at("pwrite", fd, from, len, offset); }
ssize_t pwrite64(int fd, const void *from, size_t len, off64_t offset) { return write_at("pwrite64", fd, from, len, offset); }

ssize_t writev(int fd, const struct iovec *from, int count) {
    ssize_t (*real)(int, const struct iovec *, int) = REAL("writev", ssize_t (*)(int, const struct iovec *, int));
    enum how now = next(is_file_below(fd));
    if (number(now)) return errno = number(now), -1;
    return real(fd, from, now == SHORT && count > 1 ? count / 2 : count);
}

static int plain(const char *name, int fd) {
    int (*real)(int) = REAL(name, int (*)(int));
    enum how now = next(is_file_below(fd));
    if (number(now)) return errno = number(now), -1;
    return now == LOST ? 0 : real(fd);
}

int fsync(int fd) { return plain("fsync", fd); }
int fdatasync(int fd) { return plain("fdatasync", fd); }

static int cut(const char *name, int fd, off_t bytes) {
    int (*real)(int, off_t) = REAL(name, int (*)(int, off_t));
    enum how now = next(is_file_below(fd));
    if (number(now)) return errno = number(now), -1;
    return real(fd, bytes);
}

int ftruncate(int fd, off_t bytes) { return cut("ftruncate", fd, bytes); }
int ftruncate64(int fd, off64_t bytes) { return cut("ftruncate64", fd, bytes); }

int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *) = REAL("rename", int (*)(const char *, const char *));
    enum how now = next(is_below(to));
    if (number(now)) return errno = number(now), -1;
    return real(from, to);
}
