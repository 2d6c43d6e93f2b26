#!/bin/sh
# Imports two real data sets into a fresh workspace, twice, and shows that the second time changes
# nothing. The data is not part of this project: its folder is the first argument, or KJERNE_DATA.
# The program is taken from KJERNE, or from the target folder; the plugins to switch on from
# KJERNE_PLUGINS, or from plugins/ in the target folder, as far as they have been built.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${1:-${KJERNE_DATA:-}}

if [ -z "$data" ] || [ ! -d "$data" ]; then
    echo "try.sh: no data folder (first argument or KJERNE_DATA); nothing to try"
    exit 0
fi

find_program() {
    target=${CARGO_TARGET_DIR:-$root/target}
    for profile in release debug; do
        if [ -x "$target/$profile/kjerne" ]; then
            echo "$target/$profile/kjerne"
            return
        fi
    done
    echo "try.sh: no kjerne in $target; build it, or name it in KJERNE" >&2
    exit 1
}

# The plugins that have a say in what is imported.
switch_on_plugins() {
    folder=${KJERNE_PLUGINS:-${CARGO_TARGET_DIR:-$root/target}/plugins}
    for plugin in sales-stages buying-process service-rules; do
        for file in "$folder/$plugin"-*.wasm; do
            if [ ! -f "$file" ]; then
                echo "-- plugin $plugin has not been built; left out"
                continue
            fi
            "$kjerne" plugin install --unsigned "$file" > "$work/log"
            "$kjerne" plugin grant "$plugin" --all-declared > "$work/log"
            "$kjerne" plugin enable "$plugin" > "$work/log"
            echo "-- plugin $plugin is on"
        done
    done
}

kjerne=${KJERNE:-$(find_program)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export KJERNE_WORKSPACE="$work/workspace"

# FILE KIND MAP: one import, with its rejects beside.
import_file() {
    if [ ! -f "$data/$1" ]; then
        echo "-- $1 is not there; left out"
        return
    fi
    echo "-- $1"
    # Exit code 3 says that some rows were rejected, which is no failure of this script.
    status=0
    "$kjerne" --output csv import "$data/$1" --as "$2" --map "$here/maps/$3.toml" \
        --rejects "$work/$3.csv" > "$work/log" || status=$?
    tail -n +2 "$work/log" | tr ',\n' ' ;'
    echo
    if [ "$status" = 3 ]; then
        echo "   the first rejects:"
        head -n 4 "$work/$3.csv"
    elif [ "$status" != 0 ]; then
        exit "$status"
    fi
}

import_all() {
    import_file salesforce-export/data/accountData.csv account salesforce-accounts
    import_file salesforce-export/data/opportunityData.csv opportunity salesforce-opportunities
    import_file leadforge-5000/accounts.csv account leadforge-accounts
    import_file leadforge-5000/contacts.csv contact leadforge-contacts
    import_file leadforge-5000/leads.csv lead leadforge-leads
    import_file leadforge-5000/opportunities.csv opportunity leadforge-opportunities
    import_file leadforge-5000/sales_activities.csv activity leadforge-activities
}


"$kjerne" init "$KJERNE_WORKSPACE" > "$work/log"
switch_on_plugins
echo "== first import"
import_all
for kind in account contact lead opportunity activity; do
    "$kjerne" export "$kind" > "$work/$kind.before"
done
echo "== second import, which changes nothing"
import_all
for kind in account contact lead opportunity activity; do
    "$kjerne" export "$kind" | cmp - "$work/$kind.before"
done
echo "== verify"
"$kjerne" verify
echo "try.sh: both imports agree"
