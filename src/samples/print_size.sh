#!/usr/bin/env bash
# Prints the code size of an executable, and keeps the line: print_size.sh EXECUTABLE FILE
set -euo pipefail
size "$1" | awk -v name="$(basename "$1")" \
  'NR == 2 { printf "%s: %d bytes of code and constants, %d of data\n", name, $1, $2 + $3 }' |
  tee "$2"
