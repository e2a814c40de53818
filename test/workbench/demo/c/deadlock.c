// Two processes that wait for each other for ever: the clerk holds a mutex and wants the ledger's lock, the auditor holds
// the ledger's lock and wants the mutex. The mutex is process-shared and lies in a System V segment; the ledger is locked by flock(2).
//   deadlock FOLDER      FOLDER is the demo folder; this process becomes the clerk, its child the auditor
#include "names.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(1);
}

// One byte through a pipe: "I hold mine".
static void tell(int pipe_end) {
  if (write(pipe_end, "!", 1) != 1) fail("write");
}
static void hear(int pipe_end) {
  char byte;
  if (read(pipe_end, &byte, 1) != 1) fail("read");
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : ".";
  setvbuf(stdout, NULL, _IOLBF, 0);
  char ledger_path[4096];
  snprintf(ledger_path, sizeof ledger_path, "%s/ledger-c.lock", folder);

  int shmid = shmget(key_of(folder, DEADLOCK), 4096, IPC_CREAT | 0600);
  if (shmid == -1) fail("shmget");
  pthread_mutex_t *mutex = shmat(shmid, NULL, 0);
  if (mutex == (void *)-1) fail("shmat");
  // The kernel removes the segment when the last process detaches: nothing stays, however the two are ended.
  shmctl(shmid, IPC_RMID, NULL);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(mutex, &attributes);

  int to_clerk[2], to_auditor[2];
  if (pipe(to_clerk) == -1 || pipe(to_auditor) == -1) fail("pipe");
  pid_t clerk = getpid();
  pid_t auditor = fork();
  if (auditor == -1) fail("fork");
  if (auditor == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != clerk) return 0;
    int ledger = open(ledger_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (ledger == -1 || flock(ledger, LOCK_EX) == -1) fail(ledger_path);
    tell(to_clerk[1]);
    hear(to_auditor[0]);
    pthread_mutex_lock(mutex); // never returns
    return 0;
  }
  int ledger = open(ledger_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (ledger == -1) fail(ledger_path);
  pthread_mutex_lock(mutex);
  tell(to_auditor[1]);
  hear(to_clerk[0]);
  printf("deadlock %d: clerk %d and auditor %d wait for each other\n", (int)clerk, (int)clerk, (int)auditor);
  flock(ledger, LOCK_EX); // never returns
  return 0;
}
