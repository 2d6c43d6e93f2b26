# Currency lists: no two libraries know the same currencies, and old deals or new ones have none at all.
#
# Expected: the lists of ISO 4217 in libraries for money hold today's currencies and those that old deals are in,
#   with the same number of decimals.
# Happens: of the Caribbean guilder (XCG), which replaced ANG in 2025, neither py-moneyed 3.0 (PyPI), currency-codes
#   2.2.0 nor @dinero.js/currencies 2.0.0-alpha.15 (npm) knows anything. iso4217 1.16.20260101 (PyPI) knows it and has
#   dropped ANG, the lev (BGN, replaced in 2026) and the kuna (HRK): a ValueError for every deal of last year. dinero
#   gives the ariary (MGA) the base 5, so that 1,000.50 cannot be held in its whole units, where all others
#   count hundredths. Babel 2.19.0 formats by the decimals people use and not by those of ISO 4217: 1234.50 forints
#   become HUF1,234, and 1234.567 Iraqi dinars IQD1,235, without a word.
# For a CRM: amounts are kept in whole minor units, so a list that lacks a code or counts its decimals otherwise
#   refuses old records or moves the decimal point when two systems exchange them. Keep a list of one's own with
#   today's and withdrawn codes, exchange amounts as text with their code, and never read back what was formatted
#   for people.
# Run on 2026-11-27 with Python 3.11 and Node 20.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check py-moneyed==3.0 iso4217==1.16.20260101 babel==2.19.0
npm install --silent --no-fund --no-audit currency-codes@2.2.0 @dinero.js/currencies@2.0.0-alpha.15 >/dev/null

cat > try.py <<'PY'
from decimal import Decimal

import iso4217
import moneyed
from babel.numbers import format_currency


def known(look):
    try:
        return look()
    except Exception as error:
        return type(error).__name__


for code in ('NOK', 'XCG', 'ANG', 'BGN', 'HRK', 'MGA'):
    print(code, 'moneyed', known(lambda: moneyed.get_currency(code).sub_unit),
          'iso4217', known(lambda: iso4217.Currency(code).exponent))
for code, amount in (('NOK', '1234.50'), ('HUF', '1234.50'), ('IQD', '1234.567')):
    print(amount, 'babel', format_currency(Decimal(amount), code, locale='en'))
PY
cat > try.js <<'JS'
const list = require('currency-codes');
const dinero = require('@dinero.js/currencies');
for (const code of ['NOK', 'XCG', 'ANG', 'BGN', 'HRK', 'MGA']) {
  const [one, other] = [list.code(code), dinero[code]];
  console.log(code, 'currency-codes', one ? one.digits : 'unknown',
    'dinero', other ? `base ${other.base}, exponent ${other.exponent}` : 'unknown');
}
JS

{ env/bin/python try.py; node try.js; } > seen.txt
diff -u - seen.txt <<'SEEN'
NOK moneyed 100 iso4217 2
XCG moneyed CurrencyDoesNotExist iso4217 2
ANG moneyed 100 iso4217 ValueError
BGN moneyed 100 iso4217 ValueError
HRK moneyed 100 iso4217 ValueError
MGA moneyed 100 iso4217 2
1234.50 babel NOK1,234.50
1234.50 babel HUF1,234
1234.567 babel IQD1,235
NOK currency-codes 2 dinero base 10, exponent 2
XCG currency-codes unknown dinero unknown
ANG currency-codes 2 dinero base 10, exponent 2
BGN currency-codes 2 dinero base 10, exponent 2
HRK currency-codes unknown dinero base 10, exponent 2
MGA currency-codes 2 dinero base 5, exponent 1
SEEN
echo "currency lists: XCG is unknown to three of four, withdrawn currencies to two, and HUF and IQD lose decimals when formatted"
