#!/usr/bin/env bash
# Cron lines on the days clocks are set: five libraries, four answers, for lines that name times of the night.
#
# Expected: a line that names times of day (`30 2 * * *`, `15,45 2 * * *`) is due once for each of them on every
#   day: in the hour that is skipped, at the first moment after it, in the one that is repeated, the first time.
#   So crond of Vixie and cronie does it for jobs that are no intervals.
# Happens, in Europe/Oslo on 2026-03-29 and 2026-10-25:
#   - croniter 7.0.0 (PyPI): once in spring; in autumn twice for each time, an hour apart.
#   - cronsim 2.8 (PyPI) and cron 4.4.0 (npm): as expected; two times that are skipped become one run.
#   - cron-parser 5.10.6 (npm): in spring an hour late, at 03:30 and 03:15; asked anew after 03:15, as a program
#     does that keeps when it last ran, it has lost the run of 02:45.
#   - croner 11.0.1 (npm): a single time as expected, but a list of minutes counts as an interval: `15,45 2` has
#     no run at all in spring, and twice two in autumn.
# For a CRM: nightly reminders, invoices and digests go out twice on one night of the year, or not at all on
#   another, by the library and by whether the line has one minute or two. Nightly work that must happen once has
#   to be keyed by its date, and lines between 02:00 and 03:00 are best left out. Kjerne's own rule stands in
#   docs/sdk.md.
# Run on 2026-11-28 with Python 3.11 and Node 20.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check croniter==7.0.0 cronsim==2.8 tzdata==2026.6
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund cron-parser@5.10.6 cron@4.4.0 croner@11.0.1 luxon@3.7.2 > /dev/null

cat > try.py <<'PY'
from datetime import datetime
from zoneinfo import ZoneInfo

from croniter import croniter
from cronsim import CronSim

oslo = ZoneInfo('Europe/Oslo')
days = [(datetime(2026, 3, 28, 12, tzinfo=oslo), datetime(2026, 3, 30, tzinfo=oslo)),
        (datetime(2026, 10, 24, 12, tzinfo=oslo), datetime(2026, 10, 26, tzinfo=oslo))]
for name, due in (('croniter', lambda line, start: croniter(line, start, ret_type=datetime)), ('cronsim', CronSim)):
    for line in ('30 2 * * *', '15,45 2 * * *'):
        for start, end in days:
            found, dues = [], due(line, start)
            while (at := next(dues)) < end:
                found.append(at.strftime('%H:%M%z')[:8])
            print(name, line, start.strftime('%B'), *found)
PY
cat > try.mjs <<'JS'
import { CronTime } from 'cron';
import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';
import { DateTime } from 'luxon';

const tz = 'Europe/Oslo';
const libraries = {
  cron: line => { const time = new CronTime(line, tz); return at => time.getNextDateFrom(DateTime.fromJSDate(at), tz).toJSDate(); },
  'cron-parser': line => at => CronExpressionParser.parse(line, { currentDate: at, tz }).next().toDate(),
  croner: line => { const time = new Cron(line, { timezone: tz }); return at => time.nextRun(at); },
};
const days = [['2026-03-28T12:00', '2026-03-30'], ['2026-10-24T12:00', '2026-10-26']]
  .map(pair => pair.map(text => DateTime.fromISO(text, { zone: tz })));
for (const [name, due] of Object.entries(libraries))
  for (const line of ['30 2 * * *', '15,45 2 * * *'])
    for (const [start, end] of days) {
      const found = [], next = due(line);
      for (let at = next(start.toJSDate()); at < end.toJSDate(); at = next(at))
        found.push(DateTime.fromJSDate(at, { zone: tz }).toFormat('HH:mmZZZ').slice(0, 8));
      console.log(name, line, start.setLocale('en').toFormat('MMMM'), ...found);
    }
JS

{ env/bin/python try.py; node try.mjs; } > seen.txt
diff -u - seen.txt <<'SEEN'
croniter 30 2 * * * March 03:00+02
croniter 30 2 * * * October 02:30+02 02:30+01
croniter 15,45 2 * * * March 03:00+02
croniter 15,45 2 * * * October 02:15+02 02:45+02 02:15+01 02:45+01
cronsim 30 2 * * * March 03:00+02
cronsim 30 2 * * * October 02:30+02
cronsim 15,45 2 * * * March 03:00+02
cronsim 15,45 2 * * * October 02:15+02 02:45+02
cron 30 2 * * * March 03:00+02
cron 30 2 * * * October 02:30+02
cron 15,45 2 * * * March 03:00+02
cron 15,45 2 * * * October 02:15+02 02:45+02
cron-parser 30 2 * * * March 03:30+02
cron-parser 30 2 * * * October 02:30+02
cron-parser 15,45 2 * * * March 03:15+02
cron-parser 15,45 2 * * * October 02:15+02 02:45+02
croner 30 2 * * * March 03:00+02
croner 30 2 * * * October 02:30+02
croner 15,45 2 * * * March
croner 15,45 2 * * * October 02:15+02 02:45+02 02:15+01 02:45+01
SEEN
