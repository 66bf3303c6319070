/* Makes volume files in a folder come back from a disk that is not what it says.
 *
 * Loaded with LD_PRELOAD. FAKE_DISK is the folder, FAKE_DISK_BYTES the room that the disk really has in each file, and
 * FAKE_DISK_HOW says what is read behind it: `zeros`, `wrap` (what is at the beginning) or `error`. Until a file is
 * synced its bytes come from memory and are right, as on a real disk. It needs nothing but libc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int synced;

static int is_faked(int fd) {
    const char *folder = getenv("FAKE_DISK");
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (!folder || len <= 0) return 0;
    path[len] = 0;
    return !strncmp(path, folder, strlen(folder)) && strstr(path, "/carry0");
}

int fsync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    if (is_faked(fd)) atomic_store(&synced, 1);
    return real(fd);
}

typedef ssize_t (*pread_fn)(int, void *, size_t, off_t);

static ssize_t fake(const char *name, int fd, void *to, size_t len, off_t offset) {
    pread_fn real = (pread_fn)dlsym(RTLD_NEXT, name);
    const char *bytes = getenv("FAKE_DISK_BYTES"), *how = getenv("FAKE_DISK_HOW");
    if (!atomic_load(&synced) || !bytes || !how || !is_faked(fd)) return real(fd, to, len, offset);
    off_t room = atoll(bytes);
    if (offset < room) {
        size_t before = (size_t)(room - offset);
        return real(fd, to, len < before ? len : before, offset);
    }
    if (!strcmp(how, "error")) {
        errno = EIO;
        return -1;
    }
    if (!strcmp(how, "wrap")) return real(fd, to, len, offset % room);
    ssize_t done = real(fd, to, len, offset);
    if (done > 0) memset(to, 0, (size_t)done);
    return done;
}

ssize_t pread(int fd, void *to, size_t len, off_t offset) { return fake("pread", fd, to, len, offset); }
ssize_t pread64(int fd, void *to, size_t len, off64_t offset) { return fake("pread64", fd, to, len, offset); }
