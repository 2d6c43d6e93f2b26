#!/usr/bin/env bash
# Contact cards (vCard): signs that stand for themselves come out, and go in, with other meanings.
#
# Expected: `Hansen\; Moe\, Co` in a card is read as `Hansen; Moe, Co`, text of a phone's card in quoted-printable is
#   decoded, and a writer escapes what it is given. All of that is in RFC 2426 and vCard 2.1.
# Happens: vcf 2.1.2 (npm) takes no backslash away, so that one becomes part of every such name and street; it leaves
#   quoted-printable as it is, and reads the line in which such a text goes on as a field of its own: half of a note
#   is gone. ical.js 2.2.1 (npm) undoes `\,` and `\n` and keeps the backslash of `\;` in
#   a text with one value. vcards-js 2.11.1 (npm) escapes `,` and not `;` in ORG: "Hansen; Moe" becomes the company
#   Hansen with the department Moe. segno 1.6.6 (PyPI) puts the second line of a memo into its QR code's card as
#   it is, where it is no property and lost.
# For a CRM: contacts that come from phones, badges and address books never match those that are there, and one
#   saved back to its owner is worse than before. Read a card with one library, write it with another, compare.
# Run on 2026-11-27 with Node 20 and Python 3.11.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check segno==1.6.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts vcf@2.1.2 ical.js@2.2.1 vcards-js@2.11.1 >/dev/null

cat > try.mjs <<'JS'
import ICAL from 'ical.js';
import Card from 'vcf';
import writer from 'vcards-js';
const crlf = (...lines) => ['BEGIN:VCARD', ...lines, 'END:VCARD', ''].join('\r\n');
const book = crlf('VERSION:3.0', 'N:Dahl;Eva', 'FN:Eva Dahl', 'TITLE:Buyer\\, pumps', 'NOTE:red\\; blue',
  'ADR:;;Storgata 1\\, 2. etg;Oslo;;0155;Norge');
const phone = crlf('VERSION:2.1', 'N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Dahl;K=C3=A5re',
  'FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:K=C3=A5re Dahl',
  'NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Offer for a new =', 'agreement: send by Friday');
for (const text of [book, phone]) {
  for (const [name, , , value] of Card.parse(text)[0].toJSON()[1]) {
    if (!['version', 'n'].includes(name)) console.log('vcf', name, JSON.stringify(value));
  }
}
const card = new ICAL.Component(ICAL.parse(book));
for (const name of ['title', 'note', 'adr']) {
  console.log('ical.js', name, JSON.stringify(card.getFirstPropertyValue(name)));
}
const written = writer();
written.organization = 'Hansen; Moe, Co';
console.log('vcards-js', written.getFormattedString().split('\r\n').find((line) => line.startsWith('ORG')));
JS
cat > try.py <<'PY'
from segno.helpers import make_vcard_data
card = make_vcard_data(name='Dahl;Eva', displayname='Eva Dahl', memo='Stand 12\nwants an offer')
print('segno', [line for line in card.splitlines() if line not in ('BEGIN:VCARD', 'VERSION:3.0', 'END:VCARD')])
PY

{ node try.mjs; env/bin/python try.py; } > seen.txt
diff -u - seen.txt <<'SEEN'
vcf fn "Eva Dahl"
vcf title "Buyer\\, pumps"
vcf note "red\\; blue"
vcf adr ["","","Storgata 1\\, 2. etg","Oslo","","0155","Norge"]
vcf fn "K=C3=A5re Dahl"
vcf note "Offer for a new ="
vcf agreement " send by Friday"
ical.js title "Buyer, pumps"
ical.js note "red\\; blue"
ical.js adr ["","","Storgata 1, 2. etg","Oslo","","0155","Norge"]
vcards-js ORG:Hansen; Moe\, Co
segno ['N:Dahl;Eva', 'FN:Eva Dahl', 'NOTE:Stand 12', 'wants an offer']
SEEN
echo "contact cards: backslashes, quoted-printable and line ends are read and written wrongly"
