// The same keys as names.js: 0x1dHHHHNN, HHHH from a hash of the demo folder's path, NN says which object.
#ifndef NAMES_H
#define NAMES_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

enum { QUEUE = 0x11, SEGMENT = 0x12, SET = 0x13, STALE = 0x14, DEADLOCK = 0x15 };

// FNV-1a, 32 bits, of the folder's real path.
static key_t key_of(const char *folder, int number) {
  char *real = realpath(folder, NULL);
  if (real == NULL) {
    perror(folder);
    exit(1);
  }
  uint32_t hash = 0x811c9dc5u;
  for (const unsigned char *byte = (const unsigned char *)real; *byte != 0; byte++) hash = (hash ^ *byte) * 0x01000193u;
  free(real);
  return (key_t)(0x1d000000u + ((hash & 0xffffu) << 8) + (uint32_t)number);
}
#endif
