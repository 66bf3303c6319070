/* One static file that brings a program with its loader and libraries, and runs it.
   Behind this program lie the files: for each the length of its name and of its bytes, 8 bytes each, then both. The first
   is the loader and the second the program. At the end stands where they begin, 8 bytes. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(127);
}

static void take(FILE *from, void *bytes, size_t len)
{
    if (fread(bytes, 1, len, from) != len)
        fail("read");
}

int main(int count, char **words)
{
    char dir[] = "/tmp/carried.XXXXXX", part[1 << 16], path[2][4096];
    uint64_t begin, lens[2];
    FILE *self = fopen("/proc/self/exe", "rb");
    if (!self || !mkdtemp(dir) || fseek(self, -8, SEEK_END))
        fail("start");
    long end = ftell(self);
    take(self, &begin, 8);
    fseek(self, (long)begin, SEEK_SET);
    for (int file = 0; ftell(self) < end; file++) {
        char name[256] = "", *to = path[file < 2 ? file : 1], other[4096];
        take(self, lens, 16);
        if (lens[0] >= sizeof name)
            fail("name");
        take(self, name, lens[0]);
        if (file > 1)
            to = other;
        snprintf(to, sizeof other, "%s/%s", dir, name);
        int out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0755);
        for (uint64_t left = lens[1]; left > 0;) {
            size_t now = left < sizeof part ? left : sizeof part;
            take(self, part, now);
            if (write(out, part, now) != (ssize_t)now)
                fail(to);
            left -= now;
        }
        close(out);
    }
    char **args = calloc(count + 5, sizeof *args);
    args[0] = path[0];
    args[1] = "--library-path";
    args[2] = dir;
    args[3] = path[1];
    memcpy(args + 4, words + 1, (count - 1) * sizeof *args);
    execv(path[0], args);
    fail(path[0]);
}
