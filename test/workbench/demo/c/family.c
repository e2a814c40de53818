// A family of processes that share a System V message queue, a segment and a semaphore set. One child measures, one reads,
// one writes a log, and one leaves a segment behind that nobody uses any more. The parent waits for SIGTERM or SIGINT
// and removes what the family shared. The segment left behind stays: it is there to be found and removed.
//   family FOLDER        FOLDER is the demo folder: the keys are made of its path
#include "names.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

struct message {
  long type;
  char text[64];
};

static int msqid, shmid, semid;
static const char *folder;

static int checked(const char *what, int result) {
  if (result == -1) {
    perror(what);
    exit(1);
  }
  return result;
}

static void operate(unsigned short number, short operation) {
  struct sembuf one = {.sem_num = number, .sem_op = operation, .sem_flg = number == 0 ? SEM_UNDO : 0};
  checked("semop", semop(semid, &one, 1));
}

// Writes a reading into the segment twice a second; tells the reader by the set, and now and then the log by the queue.
static void measure(void) {
  char *reading = shmat(shmid, NULL, 0);
  for (int number = 1;; number++) {
    operate(0, -1);
    snprintf(reading, 64, "reading %d", number); // a good place for a breakpoint
    operate(0, 1);
    operate(1, 1);
    if (number % 4 == 0) {
      struct message message = {.type = 1};
      snprintf(message.text, sizeof message.text, "after %d readings", number);
      checked("msgsnd", msgsnd(msqid, &message, strlen(message.text) + 1, 0));
    }
    usleep(500000);
  }
}

// Most of the time blocked in semop on semaphore 1.
static void read_all(void) {
  const char *reading = shmat(shmid, NULL, SHM_RDONLY);
  char copy[64];
  for (;;) {
    operate(1, -1);
    operate(0, -1);
    memcpy(copy, reading, sizeof copy);
    operate(0, 1);
  }
}

// Most of the time blocked in msgrcv.
static void log_all(void) {
  struct message message;
  for (;;) {
    checked("msgrcv", (int)msgrcv(msqid, &message, sizeof message.text, 0, 0));
    printf("log %d: %s\n", (int)getpid(), message.text);
  }
}

// Ends and leaves a segment: nobody is attached, its creator is gone, it is stale.
static void leave(void) {
  int stale = checked("shmget", shmget(key_of(folder, STALE), 65536, IPC_CREAT | 0600));
  char *text = shmat(stale, NULL, 0);
  strcpy(text, "results of a run that nobody came back for");
  printf("leave %d: left shmid %d behind\n", (int)getpid(), stale);
  exit(0);
}

static pid_t child(void (*work)(void), const sigset_t *restore) {
  pid_t parent = getpid();
  pid_t pid = checked("fork", fork());
  if (pid == 0) {
    // However the parent ends (a debugger may kill it), the children end too.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) exit(0);
    sigprocmask(SIG_SETMASK, restore, NULL);
    work();
  }
  return pid;
}

int main(int argc, char **argv) {
  folder = argc > 1 ? argv[1] : ".";
  setvbuf(stdout, NULL, _IOLBF, 0);
  sigset_t end, before;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigaddset(&end, SIGINT);
  sigprocmask(SIG_BLOCK, &end, &before);

  msqid = checked("msgget", msgget(key_of(folder, QUEUE), IPC_CREAT | 0600));
  shmid = checked("shmget", shmget(key_of(folder, SEGMENT), 4096, IPC_CREAT | 0600));
  semid = checked("semget", semget(key_of(folder, SET), 2, IPC_CREAT | 0600));
  checked("semctl", semctl(semid, 0, SETVAL, 1)); // semaphore 0 guards the segment
  checked("semctl", semctl(semid, 1, SETVAL, 0)); // semaphore 1 counts new readings

  pid_t children[] = {child(measure, &before), child(read_all, &before), child(log_all, &before), child(leave, &before)};
  printf("family %d: msqid %d, shmid %d, semid %d\n", (int)getpid(), msqid, shmid, semid);

  int signal_number;
  sigwait(&end, &signal_number);
  for (size_t i = 0; i < sizeof children / sizeof *children; i++) kill(children[i], SIGTERM);
  while (wait(NULL) != -1 || errno == EINTR) {
  }
  msgctl(msqid, IPC_RMID, NULL);
  shmctl(shmid, IPC_RMID, NULL);
  semctl(semid, 0, IPC_RMID);
  return 0;
}
