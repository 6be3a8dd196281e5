#!/usr/bin/env bash
# Observes an app tonight, and says what it does that it did not do in the last good night. A night is good when nothing
# is new or worse, or when somebody has looked at it: `ln -sfn NIGHT nights/last-good`.
#   DEVICE=emulator-5554 APK=app.apk PLANS="refuse silent" docs/ci/nightly.sh
set -euo pipefail
nights=${NIGHTS:-nights}
tonight=$nights/$(date -u +%Y%m%dT%H%M%S)

for plan in ${PLANS:-refuse silent}; do
    mkdir -p "$tonight"
    appwitness observe --hooks --device "$DEVICE" ${APK:+--apk "$APK"} --plan "$plan" --fail-on never --output "$tonight/$plan"
done

runs_of() { # the recordings in a folder, with commas between them
    local runs=("$1"/*/)
    local IFS=,
    echo "${runs[*]%/}"
}

if [ -e "$nights/last-good" ]; then
    last_good=$(readlink -f "$nights/last-good")
    appwitness diff "$(runs_of "$last_good")" "$(runs_of "$tonight")" --format text \
        --format html --output "$tonight/diff.html"
fi
ln -sfn "$(basename "$tonight")" "$nights/last-good"
