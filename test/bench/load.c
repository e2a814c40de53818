// A load to measure against: PROCESSES processes that share DESCRIPTORS descriptors (pipes, socket pairs, eventfds, files) and
// SYSV System V objects (a third each). Prints "ready PID" and keeps all until standard input ends; then removes them.
//   load PROCESSES DESCRIPTORS SYSV
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void hold(long descriptors) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (long i = 0; i < descriptors;) {
        int ends[2];
        switch (i / 2 % 4) {
        case 0: if (pipe(ends) != 0) _exit(1); i += 2; break;
        case 1: if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) _exit(1); i += 2; break;
        case 2: if (eventfd(0, 0) < 0) _exit(1); i += 1; break;
        default: if (open("/etc/hostname", O_RDONLY) < 0 && open("/proc/self/exe", O_RDONLY) < 0) _exit(1); i += 1; break;
        }
    }
}

int main(int argc, char **argv) {
    if (argc != 4) { fprintf(stderr, "usage: load PROCESSES DESCRIPTORS SYSV\n"); return 2; }
    long processes = atol(argv[1]), descriptors = atol(argv[2]), sysv = atol(argv[3]);
    struct rlimit limit = { 200000, 200000 };
    setrlimit(RLIMIT_NOFILE, &limit);
    int *ids = calloc((size_t)sysv + 1, sizeof *ids), ready[2];
    for (long i = 0; i < sysv; i++) ids[i] = i % 3 == 0 ? shmget(IPC_PRIVATE, 4096, 0600) : i % 3 == 1 ? msgget(IPC_PRIVATE, 0600) : semget(IPC_PRIVATE, 1, 0600);
    if (pipe(ready) != 0) return 1;
    for (long i = 0; i < processes; i++) {
        if (fork() == 0) {
            // What is inherited would make every process a neighbour of every other.
            int null = open("/dev/null", O_RDWR);
            for (int fd = 0; fd < 3; fd++) dup2(null, fd);
            dup2(ready[1], 3);
            close_range(4, ~0U, 0);
            hold(descriptors / processes);
            if (write(3, "x", 1) != 1) _exit(1);
            close(3);
            for (;;) pause();
        }
    }
    for (long i = 0; i < processes; i++) { char c; if (read(ready[0], &c, 1) != 1) break; }
    long made = 0;
    for (long i = 0; i < sysv; i++) made += ids[i] != -1;
    printf("ready %d sysv %ld\n", getpid(), made);
    fflush(stdout);
    char line[16];
    while (fgets(line, sizeof line, stdin)) { }
    for (long i = 0; i < sysv; i++) {
        if (ids[i] == -1) continue;
        if (i % 3 == 0) shmctl(ids[i], IPC_RMID, NULL); else if (i % 3 == 1) msgctl(ids[i], IPC_RMID, NULL); else semctl(ids[i], 0, IPC_RMID);
    }
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    while (wait(NULL) > 0) { }
    return 0;
}
