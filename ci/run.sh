#!/usr/bin/env bash
# One step of a pipeline: reviews a system at a server, or asks how its gate stands there.
# Exit codes are Alnager's: 0 clear, 1 hold, 3 undecided, 2 wrong use or input, 4 could not finish.
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
out="${ALNAGER_OUT:-alnager}"
: "${ALNAGER_DESK:?the address of the organisation}" "${ALNAGER_TOKEN:?a token of the desk}" "${ALNAGER_SYSTEM:?the system}"

if ! command -v alnager > /dev/null; then
  export PATH="$HOME/.alnager/bin:$PATH"
  command -v alnager > /dev/null || cargo install --quiet --locked --path "$here/../crates/alnager" --root "$HOME/.alnager"
fi

# What an earlier run left in a workspace that is kept.
rm -rf "$out"
mkdir -p "$out"
common=(--desk "$ALNAGER_DESK" --gate "${ALNAGER_GATE:-launch}" --junit "$out/alnager.xml")
case "${ALNAGER_COMMAND:-review}" in
  review) words=(review "$ALNAGER_SYSTEM" --out "$out/review") ;;
  gate) words=(gate "$ALNAGER_SYSTEM") ;;
  approved) words=(gate "$ALNAGER_SYSTEM" --approved) ;;
  *)
    echo "ALNAGER_COMMAND is review, gate or approved" >&2
    exit 2
    ;;
esac

code=0
alnager "${words[@]}" "${common[@]}" > "$out/alnager.txt" || code=$?
cat "$out/alnager.txt"
case "$code" in
  0) verdict=clear ;;
  1) verdict=hold ;;
  *) verdict=undecided ;;
esac
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  { echo '```'; cat "$out/alnager.txt"; echo '```'; } >> "$GITHUB_STEP_SUMMARY"
  echo "verdict=$verdict" >> "$GITHUB_OUTPUT"
fi
exit "$code"
