//! The rows beside records and journal as bytes: keys, cursors, parked entries, the outbox,
//! plugins, costs.

use kjerne_model::Message;

use super::damage::Damage;
use super::decoder::Decoder;
use super::encoder::Encoder;
use crate::rows::{
    AsideRow, CostRow, CursorRow, DueRun, JobRow, JobRun, KeyRow, Link, OutboxRow, ParkedRow,
    PluginRow, Waiting,
};
use crate::spent::Spent;

/// A row that is kept in full under its key.
pub(crate) trait Row: Sized {
    fn write(&self, out: &mut Encoder);
    fn read(from: &mut Decoder<'_>) -> Result<Self, Damage>;

    fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        self.write(&mut out);
        out.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let mut from = Decoder::new(bytes)?;
        let row = Self::read(&mut from)?;
        from.finish()?;
        Ok(row)
    }
}

impl Row for KeyRow {
    fn write(&self, out: &mut Encoder) {
        out.raw(&self.digest);
        out.number(self.entry);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, Damage> {
        Ok(Self {
            digest: from.array()?,
            entry: from.number()?,
        })
    }
}

impl Row for CursorRow {
    fn write(&self, out: &mut Encoder) {
        out.number(self.position);
        out.count(self.aside.len());
        self.aside.iter().for_each(|row| row.write(out));
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, Damage> {
        let position = from.number()?;
        let count = from.count()?;
        let aside = (0..count).map(|_| AsideRow::read(from));
        Ok(Self {
            position,
            aside: aside.collect::<Result<_, _>>()?,
        })
    }
}

impl Row for AsideRow {
    fn write(&self, out: &mut Encoder) {
        out.number(self.entry);
        out.count(self.records.len());
        self.records.iter().for_each(|id| out.raw(id.as_bytes()));
        out.number(u64::from(self.tries));
        out.instant(self.not_before);
        out.optional_text(self.error.as_deref());
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, Damage> {
        let entry = from.number()?;
        let count = from.count()?;
        let records = (0..count).map(|_| from.id());
        Ok(Self {
            entry,
            records: records.collect::<Result<_, _>>()?,
            tries: from.small()?,
            not_before: from.instant()?,
            error: from.optional_text()?,
        })
    }
}

impl Row for ParkedRow {
    fn write(&self, out: &mut Encoder) {
        out.text(&self.plugin);
        out.text(&self.role);
        out.number(self.entry);
        out.instant(self.at);
        out.number(u64::from(self.tries));
        out.text(&self.error);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, Damage> {
        Ok(Self {
            plugin: from.text()?,
            role: from.text()?,
            entry: from.number()?,
            at: from.instant()?,
            tries: from.small()?,
            error: from.text()?,
        })
    }
}

impl Row for JobRow {
    fn write(&self, out: &mut Encoder) {
        out.instant(self.position);
        out.flag(self.last.is_some());
        if let Some(last) = &self.last {
            out.due(last.due);
            out.instant(last.at);
        }
        out.number(u64::from(self.tries));
        out.instant(self.not_before);
        out.optional_text(self.error.as_deref());
        out.flag(self.parked.is_some());
        if let Some(parked) = self.parked {
            out.due(parked);
        }
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, Damage> {
        Ok(Self {
            position: from.instant()?,
            last: from.flag()?.then(|| from.job_run()).transpose()?,
            tries: from.small()?,
            not_before: from.instant()?,
            error: from.optional_text()?,
            parked: from.flag()?.then(|| from.due()).transpose()?,
        })
    }
}

impl Row for OutboxRow {
    fn write(&self, out: &mut Encoder) {
        out.number(self.seq);
        out.text(&self.plugin);
        out.message(&self.message);
        out.instant(self.queued_at);
        out.number(u64::from(self.tries));
        out.instant(self.not_before);
        out.optional_text(self.error.as_deref());
        out.flag(self.gave_up);
        out.number(self.link.entry);
        out.number(u64::from(self.link.depth));
        out.number(u64::from(self.link.follow_ups));
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, Damage> {
        Ok(Self {
            seq: from.number()?,
            plugin: from.text()?,
            message: from.message()?,
            queued_at: from.instant()?,
            tries: from.small()?,
            not_before: from.instant()?,
            error: from.optional_text()?,
            gave_up: from.flag()?,
            link: Link {
                entry: from.number()?,
                depth: from.small()?,
                follow_ups: from.small()?,
            },
        })
    }
}

impl Row for Waiting {
    fn write(&self, out: &mut Encoder) {
        for number in [self.rows, self.bytes, self.given_up] {
            out.number(number);
        }
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, Damage> {
        Ok(Self {
            rows: from.number()?,
            bytes: from.number()?,
            given_up: from.number()?,
        })
    }
}

impl Row for PluginRow {
    fn write(&self, out: &mut Encoder) {
        out.text(&self.id);
        out.text(&self.version);
        out.raw(&self.digest);
        out.flag(self.enabled);
        out.texts(&self.grants);
        out.text(&self.settings);
        out.number(self.revision);
        out.number(u64::from(self.position));
        out.instant(self.installed_at);
        out.texts(&self.roles);
        out.count(self.limits.len());
        for (name, number) in &self.limits {
            out.text(name);
            out.number(*number);
        }
        out.flag(self.lets_pass);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, Damage> {
        Ok(Self {
            id: from.text()?,
            version: from.text()?,
            digest: from.array()?,
            enabled: from.flag()?,
            grants: from.texts()?,
            settings: from.text()?,
            revision: from.number()?,
            position: from.small()?,
            installed_at: from.instant()?,
            roles: from.texts()?,
            limits: from.named_numbers()?,
            lets_pass: from.flag()?,
        })
    }
}

impl Row for CostRow {
    fn write(&self, out: &mut Encoder) {
        out.signed(i64::from(self.day.days()));
        out.flag(self.month);
        for text in [
            &self.plugin,
            &self.version,
            &self.runtime,
            &self.role,
            &self.kind,
        ] {
            out.text(text);
        }
        let spent = &self.spent;
        for number in [
            spent.calls,
            spent.faults,
            spent.fuel,
            spent.micros,
            spent.memory,
            spent.host_calls,
            spent.rows,
            spent.bytes_in,
            spent.bytes_out,
        ]
        .into_iter()
        .chain(spent.times)
        {
            out.number(number);
        }
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, Damage> {
        Ok(Self {
            day: from.date()?,
            month: from.flag()?,
            plugin: from.text()?,
            version: from.text()?,
            runtime: from.text()?,
            role: from.text()?,
            kind: from.text()?,
            spent: Spent {
                calls: from.number()?,
                faults: from.number()?,
                fuel: from.number()?,
                micros: from.number()?,
                memory: from.number()?,
                host_calls: from.number()?,
                rows: from.number()?,
                bytes_in: from.number()?,
                bytes_out: from.number()?,
                times: from.numbers()?,
            },
        })
    }
}

impl Encoder {
    fn due(&mut self, due: DueRun) {
        self.instant(due.at);
        self.number(due.missed);
    }

    pub(super) fn message(&mut self, message: &Message) {
        self.text(&message.url);
        self.text(&message.content_type);
        self.count(message.headers.len());
        for (name, value) in &message.headers {
            self.text(name);
            self.text(value);
        }
        self.bytes(&message.body);
        self.text(&message.order_key);
        self.text(&message.id);
        self.optional_text(message.signing_secret.as_deref());
    }
}

impl Decoder<'_> {
    fn due(&mut self) -> Result<DueRun, Damage> {
        Ok(DueRun {
            at: self.instant()?,
            missed: self.number()?,
        })
    }

    fn job_run(&mut self) -> Result<JobRun, Damage> {
        Ok(JobRun {
            due: self.due()?,
            at: self.instant()?,
        })
    }

    fn named_numbers(&mut self) -> Result<Vec<(String, u64)>, Damage> {
        let count = self.count()?;
        (0..count)
            .map(|_| Ok((self.text()?, self.number()?)))
            .collect()
    }

    fn numbers<const N: usize>(&mut self) -> Result<[u64; N], Damage> {
        let mut numbers = [0; N];
        for number in &mut numbers {
            *number = self.number()?;
        }
        Ok(numbers)
    }

    pub(super) fn message(&mut self) -> Result<Message, Damage> {
        Ok(Message {
            url: self.text()?,
            content_type: self.text()?,
            headers: self.headers()?,
            body: self.bytes()?.to_vec(),
            order_key: self.text()?,
            id: self.text()?,
            signing_secret: self.optional_text()?,
        })
    }

    fn headers(&mut self) -> Result<Vec<(String, String)>, Damage> {
        let count = self.count()?;
        (0..count)
            .map(|_| Ok((self.text()?, self.text()?)))
            .collect()
    }
}
