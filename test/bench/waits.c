// A load of blocked threads to measure against: PROCESSES processes of THREADS threads each, every thread blocked in one of a dozen calls,
// in turn, and nobody deadlocked; with "deadlocked" the first process has two threads more that wait for each other's mutex.
// Prints "ready PID CHILD threads N" and keeps all until standard input ends.
//   waits PROCESSES THREADS [deadlocked]
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, never = PTHREAD_MUTEX_INITIALIZER, crossed[2] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static pthread_barrier_t both;
static int raw, set, queue, pipes[8][2], sockets[2], event, epoll;

static void *block(void *kind) {
    struct pollfd polled[8];
    struct msg { long type; char text[8]; } message;
    char byte[8];
    switch ((long)kind % 12) {
    case 0: pthread_mutex_lock(&mutex); break;
    case 1: pthread_mutex_lock(&never); for (;;) pthread_cond_wait(&condition, &never);
    case 2: sem_wait(&semaphore); break;
    case 3: pthread_rwlock_rdlock(&rwlock); break;
    case 4: syscall(SYS_futex, &raw, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0); break;
    case 5: if (read(pipes[0][0], byte, 1) < 0) break; break;
    case 6: for (int i = 0; i < 8; i++) polled[i] = (struct pollfd){ .fd = pipes[i][0], .events = POLLIN }; poll(polled, 8, -1); break;
    case 7: { struct epoll_event found; epoll_wait(epoll, &found, 1, -1); break; }
    case 8: recv(sockets[0], byte, 1, 0); break;
    case 9: if (read(event, byte, 8) < 0) break; break;
    case 10: semop(set, &(struct sembuf){ .sem_num = 0, .sem_op = -1 }, 1); break;
    case 11: if (msgrcv(queue, &message, sizeof message.text, 0, 0) < 0) break; break;
    }
    pause(); // Nobody signals it.
    return NULL;
}

static void *cross(void *first) {
    pthread_mutex_lock(&crossed[(long)first]);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&crossed[1 - (long)first]);
    return NULL;
}

static void start(void *(*run)(void *), long argument) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    if (pthread_create(&thread, &attributes, run, (void *)argument) != 0) _exit(1);
}

static void process(long threads, int deadlocked) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < 8; i++) if (pipe(pipes[i]) != 0) _exit(1);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) _exit(1);
    event = eventfd(0, 0);
    epoll = epoll_create1(0);
    for (int i = 0; i < 8; i++) epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[i][0], &(struct epoll_event){ .events = EPOLLIN });
    sem_init(&semaphore, 0, 0);
    pthread_mutex_lock(&mutex);
    pthread_rwlock_wrlock(&rwlock);
    for (long i = 0; i < threads; i++) start(block, i);
    if (deadlocked) {
        pthread_barrier_init(&both, NULL, 2);
        start(cross, 0);
        start(cross, 1);
    }
}

int main(int argc, char **argv) {
    if (argc < 3 || argc > 4) { fprintf(stderr, "usage: waits PROCESSES THREADS [deadlocked]\n"); return 2; }
    long processes = atol(argv[1]), threads = atol(argv[2]);
    int ready[2];
    if (pipe(ready) != 0) return 1;
    set = semget(IPC_PRIVATE, 1, 0600);
    queue = msgget(IPC_PRIVATE, 0600);
    pid_t first = 0;
    for (long i = 0; i < processes; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            // What is inherited would make every process a neighbour of every other.
            int null = open("/dev/null", O_RDWR);
            for (int fd = 0; fd < 3; fd++) dup2(null, fd);
            dup2(ready[1], 3);
            close_range(4, ~0U, 0);
            process(threads, argc == 4 && i == 0);
            if (write(3, "x", 1) != 1) _exit(1);
            close(3);
            for (;;) pause();
        }
        if (i == 0) first = pid;
    }
    for (long i = 0; i < processes; i++) { char c; if (read(ready[0], &c, 1) != 1) break; }
    printf("ready %d %d threads %ld\n", getpid(), first, processes * threads);
    fflush(stdout);
    char line[16];
    while (fgets(line, sizeof line, stdin)) { }
    semctl(set, 0, IPC_RMID);
    msgctl(queue, IPC_RMID, NULL);
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    while (wait(NULL) > 0) { }
    return 0;
}
