//! Values, fields and records as bytes.

use kjerne_model::{
    Address, Currency, Date, Decimal, Fields, Instant, Money, Name, Record, RecordId, Reference,
    Value,
};

use super::damage::Damage;
use super::decoder::Decoder;
use super::encoder::Encoder;

const TEXT: u8 = 1;
const INTEGER: u8 = 2;
const DECIMAL: u8 = 3;
const MONEY: u8 = 4;
const DATE: u8 = 5;
const INSTANT: u8 = 6;
const NO: u8 = 7;
const YES: u8 = 8;
const CHOICES: u8 = 9;
const ADDRESS: u8 = 10;
const REFERENCE: u8 = 11;

/// A record without its kind and id, which stand in its key.
pub(crate) fn encode_record(record: &Record) -> Vec<u8> {
    let mut out = Encoder::new();
    out.number(record.version);
    out.instant(record.created_at);
    out.signed(
        record
            .updated_at
            .millis()
            .wrapping_sub(record.created_at.millis()),
    );
    out.fields(&record.fields);
    out.finish()
}

/// The record that `bytes` hold under the key of `kind` and `id`.
pub(crate) fn decode_record(kind: Name, id: RecordId, bytes: &[u8]) -> Result<Record, Damage> {
    let mut from = Decoder::new(bytes)?;
    let version = from.number()?;
    let created_at = from.instant()?;
    let updated_at = Instant::from_millis(created_at.millis().wrapping_add(from.signed()?));
    let fields = from.fields()?;
    from.finish()?;
    Ok(Record {
        kind,
        id,
        version,
        created_at,
        updated_at,
        fields,
    })
}

/// Fields alone; equal fields give equal bytes.
pub(crate) fn encode_fields(fields: &Fields) -> Vec<u8> {
    let mut out = Encoder::new();
    out.fields(fields);
    out.finish()
}

impl Encoder {
    pub(super) fn fields(&mut self, fields: &Fields) {
        self.count(fields.len());
        for (name, value) in fields {
            self.text(name);
            self.value(value);
        }
    }

    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.tagged(TEXT).text(text),
            Value::Integer(number) => self.tagged(INTEGER).signed(*number),
            Value::Decimal(number) => {
                self.tagged(DECIMAL).byte(number.scale());
                self.signed(number.coefficient());
            }
            Value::Money(money) => {
                self.tagged(MONEY).raw(money.currency.code().as_bytes());
                self.signed(money.minor);
            }
            Value::Date(date) => self.tagged(DATE).signed(i64::from(date.days())),
            Value::Instant(at) => self.tagged(INSTANT).instant(*at),
            Value::Flag(flag) => self.byte(if *flag { YES } else { NO }),
            Value::Choices(choices) => self.tagged(CHOICES).texts(choices),
            Value::Address(address) => self.tagged(ADDRESS).address(address),
            Value::Reference(to) => {
                self.tagged(REFERENCE).text(&to.kind);
                self.raw(to.id.as_bytes());
            }
        }
    }

    fn tagged(&mut self, tag: u8) -> &mut Self {
        self.byte(tag);
        self
    }

    fn address(&mut self, address: &Address) {
        let Address {
            street,
            postal_code,
            city,
            region,
            country,
        } = address;
        for part in [street, postal_code, city, region, country] {
            self.text(part);
        }
    }
}

impl Decoder<'_> {
    pub(super) fn fields(&mut self) -> Result<Fields, Damage> {
        let count = self.count()?;
        (0..count)
            .map(|_| Ok((self.name()?, self.value()?)))
            .collect()
    }

    pub(super) fn value(&mut self) -> Result<Value, Damage> {
        Ok(match self.byte()? {
            TEXT => Value::Text(self.text()?),
            INTEGER => Value::Integer(self.signed()?),
            DECIMAL => Value::Decimal(self.decimal()?),
            MONEY => Value::Money(self.money()?),
            DATE => Value::Date(self.date()?),
            INSTANT => Value::Instant(self.instant()?),
            NO => Value::Flag(false),
            YES => Value::Flag(true),
            CHOICES => Value::Choices(self.texts()?),
            ADDRESS => Value::Address(self.address()?),
            REFERENCE => Value::Reference(Reference {
                kind: self.name()?,
                id: self.id()?,
            }),
            other => return Err(Damage::new(format!("{other} is no kind of value"))),
        })
    }

    fn decimal(&mut self) -> Result<Decimal, Damage> {
        let scale = self.byte()?;
        let coefficient = self.signed()?;
        Decimal::new(coefficient, scale)
            .ok_or_else(|| Damage::new(format!("a decimal has {scale} digits after the point")))
    }

    fn money(&mut self) -> Result<Money, Damage> {
        let code = self.array::<3>()?;
        let currency = std::str::from_utf8(&code)
            .ok()
            .and_then(|code| Currency::new(code).ok());
        let currency = currency.ok_or_else(|| Damage::new("a currency is not three letters"))?;
        Ok(Money {
            currency,
            minor: self.signed()?,
        })
    }

    pub(super) fn date(&mut self) -> Result<Date, Damage> {
        let days = i32::try_from(self.signed()?);
        days.map(Date::from_days)
            .map_err(|_| Damage::new("a date is out of range"))
    }

    fn address(&mut self) -> Result<Address, Damage> {
        Ok(Address {
            street: self.text()?,
            postal_code: self.text()?,
            city: self.text()?,
            region: self.text()?,
            country: self.text()?,
        })
    }
}
