//! Encodes and decodes values in `MessagePack`, the format in which they travel between core and provider.
//!
//! An object is a map with every attribute; a list, set or tuple is an array; an unknown value is an extension of any
//! type. Numbers have three forms: integer, float64, and a decimal string if neither is exact.

use rmp::{
    Marker,
    decode::{self, NumValueReadError},
    encode::{self, ByteBuf},
};

use super::{
    decode_error::DecodeError,
    diagnostic::Step,
    number::{Form, Number},
    schema::{Attribute, Type},
    shape::{Shape, Text},
    slots::Slots,
    value::{Object, Value},
};

/// Decodes a value. A missing attribute is null; an attribute that the schema does not have is an error.
pub fn decode(bytes: &[u8], attributes: &[Attribute]) -> Result<Value, DecodeError> {
    read(bytes, Shape::root(attributes))
}

/// Decodes the value of a single attribute.
pub fn decode_one(bytes: &[u8], attribute: &Attribute) -> Result<Value, DecodeError> {
    read(bytes, Shape::attribute(attribute, Text::Shown))
}

fn read(bytes: &[u8], shape: Shape<'_>) -> Result<Value, DecodeError> {
    let mut reader = Reader(bytes);
    let value = reader.value(shape)?;
    // Trailing bytes mean that the value was not what the schema says, even if it could be decoded.
    if reader.0.is_empty() { Ok(value) } else { Err(DecodeError::new("is followed by more bytes")) }
}

/// Encodes a value with every attribute of the schema. Cannot fail.
///
/// A part that does not have its type is encoded as null: a response to core that lacks one attribute is better than
/// none, since it may carry a password.
pub fn encode(value: &Value, attributes: &[Attribute]) -> Vec<u8> {
    write(value, Shape::root(attributes))
}

/// Encodes a value of the given type.
pub fn encode_one(value: &Value, r#type: &Type) -> Vec<u8> {
    write(value, Shape::new(r#type, Text::Shown))
}

fn write(value: &Value, shape: Shape<'_>) -> Vec<u8> {
    // Allocate everything at once: a growing buffer would leave copies of secrets behind.
    let mut writer = Writer(ByteBuf::with_capacity(room(value)));
    writer.value(value, shape);
    writer.0.into_vec()
}

/// The bytes that have not been decoded yet.
///
/// Decoding recurses along the schema and allocates only for what was read, so the sender controls neither recursion
/// depth nor memory.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn value(&mut self, shape: Shape<'_>) -> Result<Value, DecodeError> {
        match self.marker()? {
            Marker::Null => self.take(1).map(|_| Value::Null),
            // Newer versions of core refine unknown values in the payload of the extension. Ignoring it is allowed.
            marker if is_extension(marker) => self.unknown(),
            _ => self.known(shape),
        }
    }

    fn unknown(&mut self) -> Result<Value, DecodeError> {
        let meta = decode::read_ext_meta(&mut self.0).map_err(mismatch("is not an extension"))?;
        self.take(meta.size).map(|_| Value::Unknown)
    }

    fn known(&mut self, shape: Shape<'_>) -> Result<Value, DecodeError> {
        match shape {
            Shape::Bool => decode::read_bool(&mut self.0).map(Value::Bool).map_err(mismatch(shape.mismatch())),
            Shape::Number => self.number().map(Value::Number),
            Shape::String(text) => Ok(text.value(self.text(shape.mismatch())?)),
            Shape::List(element, text) => self.list(Shape::new(element, text)),
            Shape::Objects(attributes, text) => self.list(Shape::Object(attributes, text)),
            Shape::Map(element, text) => {
                let length = decode::read_map_len(&mut self.0).map_err(mismatch(shape.mismatch()))?;
                self.map(length, Shape::new(element, text))
            }
            Shape::Object(attributes, text) => {
                let length = decode::read_map_len(&mut self.0).map_err(mismatch(shape.mismatch()))?;
                self.attributes(length, attributes, text)
            }
        }
    }

    fn number(&mut self) -> Result<Number, DecodeError> {
        let fault = Shape::Number.mismatch();
        let number = match self.marker()? {
            Marker::F32 => Number::from_f64(decode::read_f32(&mut self.0).map_err(mismatch(fault))?.into()),
            Marker::F64 => Number::from_f64(decode::read_f64(&mut self.0).map_err(mismatch(fault))?),
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => Number::parse(self.text(fault)?),
            _ => Some(Number(Form::Integer(decode::read_int(&mut self.0).map_err(mismatch(fault))?))),
        };
        number.ok_or(DecodeError::new(fault))
    }

    fn list(&mut self, element: Shape<'_>) -> Result<Value, DecodeError> {
        let length = decode::read_array_len(&mut self.0).map_err(mismatch("is not a list"))?;
        let elements = (0..length).map(|index| self.value(element).map_err(|m| m.within(Step::Index(index.into()))));
        elements.collect::<Result<_, _>>().map(Value::List)
    }

    fn map(&mut self, length: u32, element: Shape<'_>) -> Result<Value, DecodeError> {
        let mut elements = Object::default();
        for _ in 0..length {
            let name = self.text("has a name that is not a string")?.to_owned();
            let value =
                self.value(element).map_err(|malformed| malformed.within(Step::Attribute(name.clone().into())))?;
            if elements.insert(name.clone(), value).is_some() {
                return Err(DecodeError::new("is there twice").within(Step::Attribute(name.into())));
            }
        }
        Ok(Value::Object(elements))
    }

    fn attributes(&mut self, length: u32, attributes: &[Attribute], text: Text) -> Result<Value, DecodeError> {
        let mut slots = Slots::new(attributes);
        for _ in 0..length {
            let name = self.bytes("has a name that is not a string")?;
            // Unlike a stored state, a value from core was encoded with this very schema. An unknown attribute means
            // that both disagree.
            let known = slots.find(name).ok_or(DecodeError::new("has an attribute that its schema does not know"));
            let (place, attribute) = known?;
            let step = || Step::Attribute(attribute.name.clone());
            let value = self.value(Shape::attribute(attribute, text)).map_err(|malformed| malformed.within(step()))?;
            if slots.fill(place, value).is_some() {
                return Err(DecodeError::new("is there twice").within(step()));
            }
        }
        Ok(Value::Object(slots.finish(|_| Value::Null)))
    }

    fn text(&mut self, fault: &'static str) -> Result<&'b str, DecodeError> {
        str::from_utf8(self.bytes(fault)?).map_err(|_| DecodeError::new(fault))
    }

    /// Decodes the bytes of a string, which need not be UTF-8.
    fn bytes(&mut self, fault: &'static str) -> Result<&'b [u8], DecodeError> {
        let length = decode::read_str_len(&mut self.0).map_err(mismatch(fault))?;
        self.take(length)
    }

    fn marker(&self) -> Result<Marker, DecodeError> {
        self.0.first().map(|byte| Marker::from_u8(*byte)).ok_or(DecodeError::new(ENDS_EARLY))
    }

    fn take(&mut self, length: u32) -> Result<&'b [u8], DecodeError> {
        let taken = usize::try_from(length).ok().and_then(|length| self.0.split_off(..length));
        taken.ok_or(DecodeError::new(ENDS_EARLY))
    }
}

fn is_extension(marker: Marker) -> bool {
    matches!(
        marker,
        Marker::FixExt1
            | Marker::FixExt2
            | Marker::FixExt4
            | Marker::FixExt8
            | Marker::FixExt16
            | Marker::Ext8
            | Marker::Ext16
            | Marker::Ext32
    )
}

/// Converts the error of a decoding function into `fault`, or into "ends early" if bytes were missing.
fn mismatch<E: Into<NumValueReadError>>(fault: &'static str) -> impl FnOnce(E) -> DecodeError {
    move |error| match error.into() {
        NumValueReadError::InvalidMarkerRead(_) | NumValueReadError::InvalidDataRead(_) => DecodeError::new(ENDS_EARLY),
        NumValueReadError::TypeMismatch(_) | NumValueReadError::OutOfRange => DecodeError::new(fault),
    }
}

/// Returns an upper bound for the encoded size in bytes. The largest header of a string or collection has five bytes,
/// the largest number nine.
fn room(value: &Value) -> usize {
    // A bound that is too small would make the buffer grow. A few unused bytes cost nothing.
    9 + match value {
        Value::String(text) | Value::Number(Number(Form::Decimal(text))) => text.len(),
        Value::Secret(secret) => secret.for_state().len(),
        Value::List(items) => items.iter().map(room).sum(),
        Value::Object(object) => object.iter().map(|(name, value)| name.len() + 5 + room(value)).sum::<usize>(),
        _ => 0,
    }
}

/// The encoded bytes. Writing to memory cannot fail: the error type is uninhabited, so `let Ok(()) =` is exhaustive.
struct Writer(ByteBuf);

impl Writer {
    fn value(&mut self, value: &Value, shape: Shape<'_>) {
        match (shape, value) {
            (_, Value::Unknown) => self.unknown(),
            (Shape::Bool, Value::Bool(value)) => {
                let Ok(()) = encode::write_bool(&mut self.0, *value);
            }
            (Shape::Number, Value::Number(number)) => self.number(number),
            (Shape::String(_), Value::String(text)) => self.text(text),
            (Shape::String(_), Value::Secret(secret)) => self.text(secret.for_state()),
            (Shape::List(element, text), Value::List(items)) => self.list(items, Shape::new(element, text)),
            (Shape::Objects(attributes, text), Value::List(items)) => {
                self.list(items, Shape::Object(attributes, text));
            }
            (Shape::Object(attributes, text), Value::Object(object)) => self.object(object, attributes, text),
            (Shape::Map(element, text), Value::Object(object)) => self.map(object, Shape::new(element, text)),
            _ => self.null(),
        }
    }

    fn null(&mut self) {
        let Ok(()) = encode::write_nil(&mut self.0);
    }

    fn unknown(&mut self) {
        let Ok(_) = encode::write_ext_meta(&mut self.0, 1, 0);
        let Ok(()) = encode::write_pfix(&mut self.0, 0);
    }

    fn number(&mut self, number: &Number) {
        match &number.0 {
            Form::Integer(integer) => {
                // MessagePack has no i128, but every `Form::Integer` fits into an i64 or a u64.
                if let Ok(integer) = i64::try_from(*integer) {
                    let Ok(_) = encode::write_sint(&mut self.0, integer);
                } else if let Ok(integer) = u64::try_from(*integer) {
                    let Ok(_) = encode::write_uint(&mut self.0, integer);
                }
            }
            Form::Float(float) => {
                let Ok(()) = encode::write_f64(&mut self.0, *float);
            }
            Form::Decimal(text) => self.text(text),
        }
    }

    fn text(&mut self, text: &str) {
        // MessagePack lengths have 32 bits. A longer string cannot be encoded, and half of it would be wrong.
        if u32::try_from(text.len()).is_err() {
            return self.null();
        }
        let Ok(()) = encode::write_str(&mut self.0, text);
    }

    fn list(&mut self, items: &[Value], element: Shape<'_>) {
        let Ok(length) = u32::try_from(items.len()) else {
            return self.null();
        };
        let Ok(_) = encode::write_array_len(&mut self.0, length);
        for item in items {
            self.value(item, element);
        }
    }

    fn map(&mut self, elements: &Object, element: Shape<'_>) {
        let Ok(length) = u32::try_from(elements.iter().len()) else {
            return self.null();
        };
        let Ok(_) = encode::write_map_len(&mut self.0, length);
        for (name, value) in elements.iter() {
            self.text(name);
            self.value(value, element);
        }
    }

    fn object(&mut self, object: &Object, attributes: &[Attribute], text: Text) {
        let Ok(length) = u32::try_from(attributes.len()) else {
            return self.null();
        };
        let Ok(_) = encode::write_map_len(&mut self.0, length);
        for attribute in attributes {
            self.text(&attribute.name);
            self.value(object.get(&attribute.name).unwrap_or(&Value::Null), Shape::attribute(attribute, text));
        }
    }
}

const ENDS_EARLY: &str = "ends early";
