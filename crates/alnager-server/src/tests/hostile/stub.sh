#!/bin/sh
# Stands in for this program in tests: its answer is what was uploaded.
for argument; do
    case "$argument" in
        -*) ;;
        *) if [ -f "$argument" ]; then exec cat "$argument"; fi ;;
    esac
done
exit 2
