#!/usr/bin/env bash
# jsforce: a condition with an empty list selects every record, and destroy() removes them.
#
# Expected: `find({ Id: { $in: [] } })` finds nothing, as `x in []` does everywhere, or is an error.
# Happens: jsforce 3.10.16 (npm, the usual JavaScript client of Salesforce) leaves a condition out whose value is
#   `[]`, `{ $in: [] }` or `undefined`. Where it was the only one, the query has no WHERE: count() counts the
#   object, update() changes and destroy() removes every record that the query returns. No error, no warning.
# For a CRM: "remove the contacts that are gone from our side" with nobody gone, or "hand over the accounts of
#   a user" whose lookup came back undefined, changes the customer's whole Salesforce. Check lists and values
#   before they become a condition, and read the SOQL (`toSOQL()`) before anything is written by it.
# Run on 2026-11-27 with Node 20, against a server on this machine that answers as Salesforce does.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts jsforce@3.10.16 >/dev/null

cat > try.cjs <<'JS'
const http = require('http');
const jsforce = require('jsforce');
const ids = ['003A00000000001AAA', '003A00000000002AAA'];
const seen = [];
const answer = (url) => {
  if (url.includes('/describe')) return { name: 'Contact', fields: [{ name: 'Id' }] };
  if (url.includes('/query')) {
    return { totalSize: 2, done: true, records: ids.map((Id) => ({ attributes: { type: 'Contact' }, Id })) };
  }
  return ids.map((id) => ({ id, success: true, errors: [] }));
};
const server = http.createServer((request, response) => {
  const url = decodeURIComponent(request.url.replace(/\+/g, ' '));
  if (!url.includes('/describe')) seen.push(`${request.method} ${url.replace(/^.*(\?)/, '$1')}`);
  request.resume().on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer(url)));
  });
});
server.listen(0, '127.0.0.1', async () => {
  const instanceUrl = `http://127.0.0.1:${server.address().port}`;
  const contacts = () => new jsforce.Connection({ instanceUrl, accessToken: 'x', version: '62.0' }).sobject('Contact');
  const soql = async (condition) => console.log(await contacts().find(condition, 'Id').toSOQL());
  await soql({ Id: { $in: ids.slice(0, 1) } });
  await soql({ Id: { $in: [] } });
  await soql({ Id: { $nin: [] } });
  await soql({ Id: [] });
  await soql({ AccountId: undefined });
  await soql({ AccountId: null });
  await soql({ Id: { $in: [] }, Email: 'kari@example.com' });
  console.log(`${await contacts().count({ Id: { $in: [] } })} counted`);
  const moved = await contacts().find({ Id: { $in: [] } }).update({ OwnerId: '005A' });
  const gone = await contacts().find({ Id: { $in: [] } }).destroy();
  console.log(`${moved.length} changed, ${gone.length} removed`);
  console.log(seen.join('\n'));
  server.close();
});
JS

node try.cjs > seen.txt
diff -u - seen.txt <<'SEEN'
SELECT Id FROM Contact WHERE Id IN ('003A00000000001AAA')
SELECT Id FROM Contact
SELECT Id FROM Contact
SELECT Id FROM Contact
SELECT Id FROM Contact
SELECT Id FROM Contact WHERE AccountId = null
SELECT Id FROM Contact WHERE Email = 'kari@example.com'
2 counted
2 changed, 2 removed
GET ?q=SELECT count() FROM Contact
GET ?q=SELECT Id FROM Contact
PATCH /services/data/v62.0/composite/sobjects
GET ?q=SELECT Id FROM Contact
DELETE ?ids=003A00000000001AAA,003A00000000002AAA
SEEN
echo "jsforce 3.10.16: an empty list is left out of the query, and every record is removed"
