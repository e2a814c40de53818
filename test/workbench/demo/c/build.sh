#!/bin/sh
# Builds the C programs into build/, with debug information and without optimization so that a debugger shows every line.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build
for program in family deadlock; do
  "${CC:-cc}" -std=gnu11 -g -O0 -Wall -Wextra -pthread -o "build/$program" "c/$program.c"
done
