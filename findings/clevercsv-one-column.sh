#!/usr/bin/env bash
# CleverCSV: a list with one column is cut into two, at the @ of its e-mail addresses.
#
# Expected: a file with one value on each line has one column, all the more for a detector that knows what
#   e-mail addresses, phone numbers and amounts look like.
# Happens: clevercsv 0.8.5 (PyPI) takes whatever sign makes the most columns: the `@` of addresses, the blank of
#   phone numbers and names, the decimal comma of amounts, the comma inside "Dahl, Eva", whose quotes it then
#   keeps as text. read_dicts() gives `{'Email': 'kari', None: ['example.com']}`, without an error: a column called
#   Email, filled, and wrong. Two and more columns of the same values are found rightly.
# For a CRM: one column is what lists of unsubscribed addresses, of bounced ones and of numbers not to be called
#   look like. Read with the detected dialect they match nobody, and everybody on them is written to again. Ask
#   which delimiter a file has, or take only , ; tab and | for one, and take a file without any of them as one
#   column.
# Run on 2026-11-27 with Python 3.11.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check clevercsv==0.8.5

cat > try.py <<'PY'
import clevercsv

FILES = {
    'addresses': ['Email', 'kari@example.com', 'ola@example.com', 'ida.vik@example.org'],
    'more addresses': ['Email'] + [f'person{number}@example.com' for number in range(500)],
    'phones': ['Phone', '+47 22 00 00 00', '+47 55 00 00 00', '+47 73 00 00 00'],
    'amounts': ['Amount', '1250,50', '12,00', '7,25'],
    'names': ['Name', '"Dahl, Eva"', '"Moe, Ola"', '"Vik, Ida"'],
    'two columns': ['Email;Reason', 'kari@example.com;bounced', 'ola@example.com;unsubscribed'],
}
for name, lines in FILES.items():
    with open('list.csv', 'w') as file:
        file.write('\n'.join(lines) + '\n')
    dialect = clevercsv.detect_dialect('list.csv')
    rows = clevercsv.read_dicts('list.csv')
    print(f'{name}: {dialect.delimiter!r} {dict(rows[0])}')
PY

env/bin/python try.py > seen.txt
diff -u - seen.txt <<'SEEN'
addresses: '@' {'Email': 'kari', None: ['example.com']}
more addresses: '@' {'Email': 'person0', None: ['example.com']}
phones: ' ' {'Phone': '+47', None: ['22', '00', '00', '00']}
amounts: ',' {'Amount': '1250', None: ['50']}
names: ',' {'Name': '"Dahl', None: [' Eva"']}
two columns: ';' {'Email': 'kari@example.com', 'Reason': 'bounced'}
SEEN
echo "clevercsv 0.8.5: lists with one column are cut at @, blanks and commas"
