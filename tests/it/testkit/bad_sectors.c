/* Makes reads of chosen bytes of chosen files fail as a drive does: with EIO, after what could be read before them.
 *
 * Loaded with LD_PRELOAD. The file that BAD_SECTORS names has one range a line: `START END TIMES PATH`. The range fails
 * in the first TIMES reads that meet it, and in all of them when TIMES is 0. Paths are absolute and without links.
 * Reads at a place are appended to the file that READ_LOG names, one a line: `OFFSET LEN READ PATH`, READ is -1 on failure.
 * It needs nothing but libc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

struct bad {
    int64_t start, end;
    long times;
    atomic_long met;
    char *path;
};

static struct bad *bads;
static size_t bad_count;
static int read_log = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
    const char *log = getenv("READ_LOG");
    if (log) read_log = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    const char *list = getenv("BAD_SECTORS");
    FILE *file = list ? fopen(list, "r") : NULL;
    if (!file) {
        fprintf(stderr, "bad_sectors: BAD_SECTORS names no list\n");
        abort();
    }
    char path[PATH_MAX];
    long long start, end;
    long times;
    while (fscanf(file, "%lld %lld %ld %4095[^\n]", &start, &end, &times, path) == 4) {
        bads = realloc(bads, (bad_count + 1) * sizeof *bads);
        struct bad *one = &bads[bad_count++];
        one->start = start;
        one->end = end;
        one->times = times;
        atomic_init(&one->met, 0);
        one->path = strdup(path);
    }
    fclose(file);
}

/* Returns how many of the bytes at an offset can be read before a bad one: all, some, or none. */
static size_t readable(int fd, int64_t offset, size_t len) {
    pthread_once(&once, load);
    if (!bad_count || offset < 0 || !len) return len;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t path_len = readlink(link, path, sizeof path - 1);
    if (path_len <= 0) return len;
    path[path_len] = 0;
    for (size_t i = 0; i < bad_count; i++) {
        struct bad *one = &bads[i];
        if (one->start >= offset + (int64_t)len || offset >= one->end || strcmp(one->path, path)) continue;
        if (one->times && atomic_fetch_add(&one->met, 1) >= one->times) continue;
        len = one->start > offset ? (size_t)(one->start - offset) : 0;
        if (!len) break;
    }
    return len;
}

/* Returns whether any byte of the file is bad, so that it must not be copied behind our back. */
static int has_bad(int fd) {
    pthread_once(&once, load);
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t path_len = readlink(link, path, sizeof path - 1);
    if (path_len <= 0) return 0;
    path[path_len] = 0;
    for (size_t i = 0; i < bad_count; i++)
        if (!strcmp(bads[i].path, path)) return 1;
    return 0;
}

static int64_t position(int fd) {
    return lseek64(fd, 0, SEEK_CUR);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static ssize_t fail(void) {
    errno = EIO;
    return -1;
}

static void note(int fd, int64_t offset, size_t len, ssize_t got) {
    if (read_log < 0) return;
    char link[64], path[PATH_MAX], line[PATH_MAX + 80];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t path_len = readlink(link, path, sizeof path - 1);
    if (path_len <= 0) return;
    path[path_len] = 0;
    int line_len = snprintf(line, sizeof line, "%lld %zu %zd %s\n", (long long)offset, len, got, path);
    if (write(read_log, line, (size_t)line_len) != line_len) abort();
}

ssize_t read(int fd, void *buf, size_t len) {
    size_t good = readable(fd, position(fd), len);
    if (len && !good) return fail();
    return REAL(read)(fd, buf, good);
}

ssize_t pread64(int fd, void *buf, size_t len, off64_t offset) {
    size_t good = readable(fd, offset, len);
    ssize_t got = len && !good ? -1 : REAL(pread64)(fd, buf, good, offset);
    note(fd, offset, len, got);
    return len && !good ? fail() : got;
}

ssize_t pread(int fd, void *buf, size_t len, off_t offset) {
    return pread64(fd, buf, len, offset);
}

/* Vectors are read into their first buffer alone, which every caller must be ready for. */
ssize_t readv(int fd, const struct iovec *parts, int count) {
    for (int i = 0; i < count; i++)
        if (parts[i].iov_len) return read(fd, parts[i].iov_base, parts[i].iov_len);
    return 0;
}

ssize_t preadv64(int fd, const struct iovec *parts, int count, off64_t offset) {
    for (int i = 0; i < count; i++)
        if (parts[i].iov_len) return pread64(fd, parts[i].iov_base, parts[i].iov_len, offset);
    return 0;
}

ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset) {
    return preadv64(fd, parts, count, offset);
}

ssize_t preadv64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags) {
    (void)flags;
    return offset == -1 ? readv(fd, parts, count) : preadv64(fd, parts, count, offset);
}

ssize_t preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
    return preadv64v2(fd, parts, count, offset, flags);
}

/* Copies inside of the kernel are refused, so that the caller reads. */
ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t len, unsigned flags) {
    if (has_bad(in)) {
        errno = EXDEV;
        return -1;
    }
    return REAL(copy_file_range)(in, in_at, out, out_at, len, flags);
}

ssize_t sendfile64(int out, int in, off64_t *at, size_t len) {
    ssize_t (*real)(int, int, off64_t *, size_t) = dlsym(RTLD_NEXT, "sendfile64");
    if (has_bad(in)) {
        errno = EINVAL;
        return -1;
    }
    return real(out, in, at, len);
}

ssize_t sendfile(int out, int in, off_t *at, size_t len) {
    return sendfile64(out, in, (off64_t *)at, len);
}
