// Only the reads that nobody can avoid who wants to know what a snapshot tells. Per process: stat (twice, as proof that the PID was not
// reused), status, cmdline, cgroup, maps, exe, four namespaces and a readlink of every descriptor, the mode of pipes, the fdinfo of
// eventfds. The System V tables, and what they do not tell: the limit of a queue; values, waiters and last operators of a set
// (GETALL, GETNCNT, GETZCNT, GETPID: the kernel has no interface that gives them for more than one). Of sockets: UNIX_DIAG, because
// /proc/net/unix has neither peers nor queues, INET_DIAG for TCP and UDP, and the tables of the rarer families. /proc/locks, the mounts.
// Nothing is parsed that is not needed to know what to read next. Prints milliseconds a pass, PASSES times: of the clock, and of the processor.
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 20];

static void slurp(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    while (read(fd, buffer, sizeof buffer) > 0) { }
    close(fd);
}

/** Calls `ask` with the id in every line of a table, and the number that follows the permissions. */
static void each(const char *path, void (*ask)(int id, int count)) {
    FILE *table = fopen(path, "re");
    if (!table) return;
    char line[512];
    int id, count;
    while (fgets(line, sizeof line, table)) if (sscanf(line, "%*d %d %*o %d", &id, &count) == 2) ask(id, count);
    fclose(table);
}

static void ask_queue(int id, int unused) {
    (void)unused;
    struct msqid_ds its;
    msgctl(id & 0x7fff, 13 /* MSG_STAT_ANY, by index */, &its);
}

static void ask_set(int id, int count) {
    static unsigned short values[32000];
    semctl(id, 0, GETALL, values);
    for (int i = 0; i < count; i++) { semctl(id, i, GETNCNT); semctl(id, i, GETZCNT); semctl(id, i, GETPID); }
}

/** Dumps one table of sock_diag(7). */
static void dump(int diag, const void *request, size_t length) {
    struct { struct nlmsghdr header; char request[64]; } message = { .header = { .nlmsg_len = NLMSG_LENGTH(length), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
    memcpy(message.request, request, length);
    if (send(diag, &message, message.header.nlmsg_len, 0) < 0) return;
    for (;;) {
        ssize_t got = recv(diag, buffer, sizeof buffer, 0);
        if (got <= 0) return;
        for (struct nlmsghdr *each = (struct nlmsghdr *)buffer; NLMSG_OK(each, got); each = NLMSG_NEXT(each, got)) if (each->nlmsg_type == NLMSG_DONE || each->nlmsg_type == NLMSG_ERROR) return;
    }
}

static void sockets(void) {
    int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (diag < 0) return;
    struct unix_diag_req local = { .sdiag_family = AF_UNIX, .udiag_states = -1, .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN };
    dump(diag, &local, sizeof local);
    static const int families[] = { AF_INET, AF_INET6 }, protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
    for (int i = 0; i < 4; i++) {
        struct inet_diag_req_v2 internet = { .sdiag_family = families[i % 2], .sdiag_protocol = protocols[i / 2], .idiag_states = -1 };
        dump(diag, &internet, sizeof internet);
    }
    close(diag);
    static const char *rare[] = { "netlink", "packet", "raw", "raw6", "udplite", "udplite6", "icmp", "icmp6" };
    char path[64];
    for (size_t i = 0; i < sizeof rare / sizeof *rare; i++) { snprintf(path, sizeof path, "/proc/net/%s", rare[i]); slurp(path); }
}

static void pass(void) {
    static const char *files[] = { "stat", "status", "cmdline", "cgroup", "maps", "stat" };
    static const char *links[] = { "exe", "ns/ipc", "ns/pid", "ns/net", "ns/mnt" };
    char path[640], target[4096];
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(proc));) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        for (size_t i = 0; i < sizeof files / sizeof *files; i++) { snprintf(path, sizeof path, "/proc/%s/%s", entry->d_name, files[i]); slurp(path); }
        for (size_t i = 0; i < sizeof links / sizeof *links; i++) { snprintf(path, sizeof path, "/proc/%s/%s", entry->d_name, links[i]); if (readlink(path, target, sizeof target) < 0) break; }
        snprintf(path, sizeof path, "/proc/%s/fd", entry->d_name);
        DIR *fds = opendir(path);
        if (!fds) continue;
        for (struct dirent *fd; (fd = readdir(fds));) {
            if (!isdigit((unsigned char)fd->d_name[0])) continue;
            ssize_t length = readlinkat(dirfd(fds), fd->d_name, target, sizeof target - 1);
            if (length < 0) continue;
            target[length] = 0;
            struct stat mode;
            // Which end of a pipe it is stands in the link's mode; an eventfd's counter in its fdinfo alone.
            if (strncmp(target, "pipe:", 5) == 0) { if (fstatat(dirfd(fds), fd->d_name, &mode, AT_SYMLINK_NOFOLLOW) != 0) continue; }
            else if (strcmp(target, "anon_inode:[eventfd]") == 0) { snprintf(path, sizeof path, "/proc/%s/fdinfo/%s", entry->d_name, fd->d_name); slurp(path); }
        }
        closedir(fds);
    }
    closedir(proc);
    slurp("/proc/sysvipc/shm");
    each("/proc/sysvipc/msg", ask_queue);
    each("/proc/sysvipc/sem", ask_set);
    sockets();
    slurp("/proc/locks");
    slurp("/proc/self/mountinfo");
}

static double milliseconds(struct timespec from, struct timespec to) {
    return (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
}

int main(int argc, char **argv) {
    int passes = argc > 1 ? atoi(argv[1]) : 1;
    for (int i = 0; i < passes; i++) {
        struct timespec a, b, c, d;
        clock_gettime(CLOCK_MONOTONIC, &a);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &c);
        pass();
        clock_gettime(CLOCK_MONOTONIC, &b);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &d);
        printf("%.3f %.3f\n", milliseconds(a, b), milliseconds(c, d));
    }
    return 0;
}
