#!/usr/bin/env bash
# VAT numbers: one library refuses Belgium's new numbers and Northern Ireland, its successor all of Norway.
#
# Expected: jsvat and jsvat-next (npm) check the same numbers the same way, and the newer one knows more of them.
# Happens: jsvat 2.5.4 refuses Belgian numbers that begin with 1, which are given out since those with 0 run short, by
#   their form alone, and does not know XI, by which Northern Ireland trades in goods with the EU since 2021.
#   jsvat-next 3.0.4 takes both, lists Norway, and refuses every Norwegian number in every spelling: its form for
#   them has no NO in front, by which it finds the country. Without it both take the number for one of another
#   continent. python-stdnum 2.2 (PyPI), run beside them, takes them all, in Norway with MVA behind, as written on
#   invoices.
# For a CRM: a form or import that trusts one answer turns away customers who exist, and "not valid" reads like the
#   customer's mistake. Treat form, check digits and country as three answers, refuse on none of them alone, and
#   keep the number as it was written.
# Run on 2026-11-27 with Node 20 and Python 3.11. The numbers are made up, with right check digits.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check python-stdnum==2.2
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts jsvat@2.5.4 jsvat-next@3.0.4 >/dev/null

cat > numbers.txt <<'NUMBERS'
BE0999999922
BE1999999943
XI123456782
NO999999980MVA
NO999999980
999999980MVA
DK12345674
NUMBERS
cat > try.mjs <<'JS'
import { readFileSync } from 'fs';
import * as first from 'jsvat';
import * as second from 'jsvat-next';
for (const number of readFileSync('numbers.txt', 'utf8').trim().split('\n')) {
  const told = [['jsvat', first.default ?? first], ['jsvat-next', second.default ?? second]].map(([name, library]) => {
    const { isValid, country } = library.checkVAT(number, library.countries);
    return `${name}: ${isValid ? 'valid' : 'not valid'}, ${country?.name ?? 'no country'}`;
  });
  console.log(number, told.join('; '));
}
JS
cat > try.py <<'PY'
from stdnum.eu import vat
from stdnum.no import mva
for number in open('numbers.txt').read().split():
    print(number, 'python-stdnum:', vat.is_valid(number) or mva.is_valid(number))
PY

{ node try.mjs; env/bin/python try.py; } > seen.txt
diff -u - seen.txt <<'SEEN'
BE0999999922 jsvat: valid, Belgium; jsvat-next: valid, Belgium
BE1999999943 jsvat: not valid, Belgium; jsvat-next: valid, Belgium
XI123456782 jsvat: not valid, no country; jsvat-next: valid, United Kingdom
NO999999980MVA jsvat: valid, Norway; jsvat-next: not valid, Norway
NO999999980 jsvat: valid, Norway; jsvat-next: not valid, Norway
999999980MVA jsvat: not valid, Brazil; jsvat-next: not valid, Australia
DK12345674 jsvat: valid, Denmark; jsvat-next: valid, Denmark
BE0999999922 python-stdnum: True
BE1999999943 python-stdnum: True
XI123456782 python-stdnum: True
NO999999980MVA python-stdnum: True
NO999999980 python-stdnum: False
999999980MVA python-stdnum: True
DK12345674 python-stdnum: True
SEEN
echo "VAT numbers: jsvat refuses Belgium's new ones and XI, jsvat-next every Norwegian one"
