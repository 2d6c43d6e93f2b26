#!/bin/sh
# Our signatures and keys against the program minisign (0.10 or later), both ways; run by hand:
#   tests/beside/minisign.sh KJERNE PLUGIN.wasm
# KJERNE is the program, PLUGIN.wasm a built plugin whose manifest names a publisher.
set -eu
kjerne=$(realpath "$1")
plugin=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$plugin" "$work/file.wasm"
cd "$work"

refused() { # WHAT WORDS COMMAND...: the command fails and says so
    what=$1 words=$2
    shift 2
    if told=$("$@" 2>&1); then
        echo "FAILED: taken: $what" && exit 1
    fi
    case $told in
    *"$words"*) echo "ok: refused: $what" ;;
    *) echo "FAILED: $what: $told" && exit 1 ;;
    esac
}

"$kjerne" plugin keygen ours --no-password > log
printf 'pw\n' | "$kjerne" plugin keygen locked > log
minisign -G -W -p theirs.pub -s theirs.key > log

"$kjerne" plugin sign file.wasm --key ours.key > log
minisign -Vm file.wasm -p ours.pub > log
echo "ok: minisign verifies what kjerne signed"
"$kjerne" plugin sign file.wasm --key theirs.key > log
minisign -Vm file.wasm -p theirs.pub > log
echo "ok: kjerne signs with a key minisign made"
for key in ours theirs; do
    minisign -S -s $key.key -m file.wasm > log
    "$kjerne" plugin verify file.wasm -P $key.pub > log
done
echo "ok: kjerne verifies what minisign signed, with either's key"
printf 'pw\n' | minisign -S -s locked.key -m file.wasm > log 2>&1
"$kjerne" plugin verify file.wasm -P locked.pub > log
echo "ok: minisign opens a key kjerne keeps under a password"
"$kjerne" plugin keygen next --no-password --successor-of ours.key > log
minisign -Vm next.pub -p ours.pub > log
echo "ok: minisign verifies a statement of succession"

minisign -S -s theirs.key -m file.wasm > log
refused "another key" "the key at hand" "$kjerne" plugin verify file.wasm -P ours.pub
minisign -S -l -s theirs.key -m file.wasm > log
refused "the old form" "in the old form" "$kjerne" plugin verify file.wasm -P theirs.pub
minisign -S -s theirs.key -m file.wasm -t "one comment" > log
sed 's/one comment/another one/' file.wasm.minisig > changed.minisig
refused "a changed comment" "was changed after it was signed" \
    "$kjerne" plugin verify file.wasm -P theirs.pub --signature changed.minisig
head -2 file.wasm.minisig > short.minisig
refused "a cut-off signature" "cut off" \
    "$kjerne" plugin verify file.wasm -P theirs.pub --signature short.minisig
printf x >> file.wasm
refused "another file" "does not belong to this file" "$kjerne" plugin verify file.wasm -P theirs.pub
