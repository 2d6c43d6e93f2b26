#!/usr/bin/env bash
# E-mail reply parsers: the customer's own words are taken for a signature, a header or a quotation.
#
# Expected: a reply parser errs on the side of keeping: what it does not know it leaves in the text.
# Happens: none of these plain replies holds a signature or a quotation. email-reply-parser 0.5.12 (PyPI) and
#   node-email-reply-parser 0.1.4 (npm) take a line that begins with "-2" for a signature and drop the order from
#   there on, and everything below a heading "-- Order --". A reply that begins with "On Friday" and has a line
#   ending in "wrote:" comes back from the first as an empty text. mail-parser-reply 1.36 (PyPI), the first and
#   planer 1.2.0 (npm) end the text at a line "From: ..." followed by "To: ...", which is how people write freight.
#   mail-parser-reply takes 'no' for a language without complaint and then leaves a Norwegian thread as it is.
# For a CRM: the case shows "please send:" and the order is gone; automatic triage and answers work on less than
#   was written. Keep the whole message, show the parser's result as a folded view of it, and never decide on it.
# Run on 2026-11-27 with Python 3.11 and Node 20.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check email-reply-parser==0.5.12 mail-parser-reply==1.36
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts node-email-reply-parser@0.1.4 planer@1.2.0 >/dev/null

cat > replies.json <<'JSON'
{
  "order": "Please send:\n\n-2 pumps\n-3 seals\n\nOla",
  "heading": "Hello\n\n-- Order --\n2 pumps\n\n-- Deliver to --\nStorgata 1",
  "said": "On Friday we decided to buy.\nAnna wrote:\nthe price is fine",
  "freight": "Two pumps, please.\n\nFrom: the warehouse in Bergen\nTo: Storgata 1, Oslo\n\nBefore Friday.",
  "thread": "Ja takk.\n\nDen man. 2. mars 2026 kl. 09:00 skrev Kari <kari@example.com>:\n> Vil dere bestille?"
}
JSON
cat > try.py <<'PY'
import json
from email_reply_parser import EmailReplyParser as Plain
from mailparser_reply import EmailReplyParser as Languages
for name, text in json.load(open('replies.json')).items():
    print(name, 'email-reply-parser', json.dumps(Plain.parse_reply(text)))
    print(name, 'mail-parser-reply', json.dumps(Languages(languages=['en', 'no']).parse_reply(text=text)))
PY
cat > try.cjs <<'JS'
const parse = require('node-email-reply-parser');
const planer = require('planer');
for (const [name, text] of Object.entries(JSON.parse(require('fs').readFileSync('replies.json')))) {
  console.log(name, 'node-email-reply-parser', JSON.stringify(parse(text).getVisibleText().trim()));
  console.log(name, 'planer', JSON.stringify(planer.extractFrom(text, 'text/plain')));
}
JS

{ env/bin/python try.py; node try.cjs; } | LC_ALL=C sort > seen.txt
diff -u - seen.txt <<'SEEN'
freight email-reply-parser "Two pumps, please."
freight mail-parser-reply "Two pumps, please."
freight node-email-reply-parser "Two pumps, please.\n\nFrom: the warehouse in Bergen\nTo: Storgata 1, Oslo\n\nBefore Friday."
freight planer "Two pumps, please."
heading email-reply-parser "Hello"
heading mail-parser-reply "Hello\n\n-- Order --\n2 pumps\n\n-- Deliver to --\nStorgata 1"
heading node-email-reply-parser "Hello"
heading planer "Hello\n\n-- Order --\n2 pumps\n\n-- Deliver to --\nStorgata 1"
order email-reply-parser "Please send:"
order mail-parser-reply "Please send:\n\n-2 pumps\n-3 seals\n\nOla"
order node-email-reply-parser "Please send:"
order planer "Please send:\n\n-2 pumps\n-3 seals\n\nOla"
said email-reply-parser ""
said mail-parser-reply "On Friday we decided to buy.\nAnna wrote:\nthe price is fine"
said node-email-reply-parser "On Friday we decided to buy. Anna wrote:\nthe price is fine"
said planer "On Friday we decided to buy.\nAnna wrote:\nthe price is fine"
thread email-reply-parser "Ja takk.\n\nDen man. 2. mars 2026 kl. 09:00 skrev Kari <kari@example.com>:"
thread mail-parser-reply "Ja takk.\n\nDen man. 2. mars 2026 kl. 09:00 skrev Kari <kari@example.com>:\n> Vil dere bestille?"
thread node-email-reply-parser "Ja takk."
thread planer "Ja takk.\n\nDen man. 2. mars 2026 kl. 09:00 skrev Kari <kari@example.com>:\n> Vil dere bestille?"
SEEN
echo "reply parsers: orders, headings and freight addresses are cut out of plain replies"
