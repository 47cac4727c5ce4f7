//! What core sends is what the provider reads, and the other way round: values as `MessagePack` and as JSON.
#![expect(clippy::unwrap_used, reason = "the values of a test are known to be sound")]

use std::borrow::Cow;

use proptest::{collection, prelude::*};
use terraform_provider_smtp::{
    framework::{
        DecodeError, json, msgpack,
        number::Number,
        schema::{Attribute, Type},
        value::Value,
    },
    secret::Secret,
};

/// A schema with every type: `b`ool, `n`umber, `s`tring, se`c`ret, `l`ist, `o`bject, objects (`p`).
fn schema() -> Vec<Attribute> {
    let nested =
        || vec![Attribute::optional("c", Type::String, "").sensitive(), Attribute::optional("n", Type::Number, "")];
    vec![
        Attribute::optional("s", Type::String, ""),
        Attribute::optional("b", Type::Bool, ""),
        Attribute::optional("c", Type::String, "").sensitive(),
        Attribute::optional("l", Type::List(Box::new(Type::String)), ""),
        Attribute::optional("n", Type::Number, ""),
        Attribute::optional("o", Type::Object(nested()), ""),
        Attribute::optional("p", Type::Objects(nested()), ""),
    ]
}

/// What the schema's only set attribute is read as.
fn read(name: &str, bytes: &[u8]) -> Result<Value, DecodeError> {
    let object = [&[0x81, 0xa1], name.as_bytes(), bytes].concat();
    msgpack::decode(&object, &schema()).map(|value| value.get(name).clone())
}

fn read_json(name: &str, json: &str) -> Result<Value, DecodeError> {
    let object = format!(r#"{{"{name}":{json}}}"#);
    json::decode(object.as_bytes(), &schema()).map(|value| value.get(name).clone())
}

fn number(text: &str) -> Value {
    Number::parse(text).unwrap().into()
}

fn list<const N: usize>(items: [&str; N]) -> Value {
    Value::List(items.map(Value::from).to_vec())
}

mod messagepack {
    use super::*;

    #[test]
    fn every_marker_of_a_number_is_read() {
        let table: [(&[u8], &str); 17] = [
            (b"\x07", "7"),
            (b"\xff", "-1"),
            (b"\xcc\xff", "255"),
            (b"\xcd\x02\x4b", "587"),
            (b"\xce\xff\xff\xff\xff", "4294967295"),
            (b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
            (b"\xd0\x80", "-128"),
            (b"\xd1\x80\x00", "-32768"),
            (b"\xd2\x80\x00\x00\x00", "-2147483648"),
            (b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00", "-9223372036854775808"),
            (b"\xca\x3f\x00\x00\x00", "0.5"),
            (b"\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00", "0.5"),
            (b"\xa30.1", "0.1"),
            (b"\xd9\x030.1", "0.1"),
            (b"\xda\x00\x030.1", "0.1"),
            (b"\xdb\x00\x00\x00\x030.1", "0.1"),
            (b"\xb418446744073709551616", "18446744073709551616"),
        ];
        for (bytes, expected) in table {
            assert_eq!(read("n", bytes), Ok(number(expected)), "{expected}");
        }
    }

    #[test]
    fn a_port_is_the_same_number_in_all_three_forms() {
        for bytes in
            [&b"\xcd\x02\x4b"[..], b"\xcb\x40\x82\x58\x00\x00\x00\x00\x00", b"\xca\x44\x12\xc0\x00", b"\xa3587"]
        {
            assert_eq!(read("n", bytes).unwrap().as_number().and_then(Number::as_i64), Some(587));
        }
    }

    #[test]
    fn every_other_marker_is_read() {
        for (name, bytes, expected) in [
            ("b", &b"\xc2"[..], Value::Bool(false)),
            ("b", b"\xc3", Value::Bool(true)),
            ("s", b"\xc0", Value::Null),
            ("s", b"\xa2\xc3\xa9", "é".into()),
            ("s", b"\xd9\x01a", "a".into()),
            ("s", b"\xda\x00\x01a", "a".into()),
            ("s", b"\xdb\x00\x00\x00\x01a", "a".into()),
            ("l", b"\x92\xa1a\xa1b", list(["a", "b"])),
            ("l", b"\xdc\x00\x01\xa1a", list(["a"])),
            ("l", b"\xdd\x00\x00\x00\x01\xa1a", list(["a"])),
            ("o", b"\x81\xa1n\x01", Value::object([("c", Value::Null), ("n", number("1"))])),
            ("o", b"\xde\x00\x01\xa1n\x01", Value::object([("c", Value::Null), ("n", number("1"))])),
            ("o", b"\xdf\x00\x00\x00\x00", Value::object([("c", Value::Null), ("n", Value::Null)])),
            ("p", b"\x91\xc0", Value::List(vec![Value::Null])),
        ] {
            assert_eq!(read(name, bytes), Ok(expected), "{name} {bytes:02x?}");
        }
    }

    #[test]
    fn every_extension_is_unknown_whatever_its_code() {
        for code in 0..=u8::MAX {
            for (head, length) in [
                (vec![0xd4, code], 1),
                (vec![0xd5, code], 2),
                (vec![0xd6, code], 4),
                (vec![0xd7, code], 8),
                (vec![0xd8, code], 16),
                (vec![0xc7, 0, code], 0),
                (vec![0xc7, 5, code], 5),
                (vec![0xc8, 1, 0, code], 256),
                (vec![0xc9, 0, 1, 0, 0, code], 65_536),
            ] {
                let bytes = [head, vec![0xff; length]].concat();
                for name in ["b", "n", "c", "l", "o", "p"] {
                    assert_eq!(read(name, &bytes), Ok(Value::Unknown));
                }
            }
        }
    }

    #[test]
    fn a_configuration_may_be_null_or_unknown_as_a_whole() {
        assert_eq!(msgpack::decode(b"\xc0", &schema()), Ok(Value::Null));
        assert_eq!(msgpack::decode(b"\xd4\x00\x00", &schema()), Ok(Value::Unknown));
        assert_eq!(msgpack::encode(&Value::Null, &schema()), b"\xc0");
        assert_eq!(msgpack::encode(&Value::Unknown, &schema()), b"\xd4\x00\x00");
    }

    #[test]
    fn a_mistake_is_reported_by_place_and_kind() {
        for (name, bytes, expected) in [
            ("b", &b"\x01"[..], "`b` is not a bool"),
            ("n", b"\xc3", "`n` is not a number"),
            ("n", b"\xa3ten", "`n` is not a number"),
            ("n", b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00", "`n` is not a number"),
            ("s", b"\x01", "`s` is not a string"),
            ("s", b"\xa1\xff", "`s` is not a string"),
            ("s", b"\xc4\x01a", "`s` is not a string"),
            ("s", b"\xc1", "`s` is not a string"),
            ("l", b"\xa1a", "`l` is not a list"),
            ("l", b"\x92\xa1a\x01", "`l[1]` is not a string"),
            ("o", b"\x90", "`o` is not an object"),
            ("o", b"\x81\xa1c\x01", "`o.c` is not a string"),
            ("o", b"\x81\xa1z\x01", "`o` has an attribute that its schema does not know"),
            ("o", b"\x82\xa1c\xc0\xa1c\xc0", "`o.c` is there twice"),
            ("o", b"\x81\x01\x01", "`o` has a name that is not a string"),
            ("p", b"\x92\x80\x81\xa1n\xc3", "`p[1].n` is not a number"),
            ("s", b"\xc0\xc0", "the value is followed by more bytes"),
            ("s", b"", "`s` ends early"),
            ("s", b"\xa2a", "`s` ends early"),
            ("n", b"\xcd\x02", "`n` ends early"),
            ("n", b"\xd8\x00\x00", "`n` ends early"),
            ("s", b"\xdb\xff\xff\xff\xffa", "`s` ends early"),
            ("l", b"\xdd\xff\xff\xff\xff\xc0", "`l[1]` ends early"),
            ("o", b"\xdf\xff\xff\xff\xff", "`o` ends early"),
            ("s", b"\xc9\xff\xff\xff\xff\x00", "`s` ends early"),
        ] {
            assert_eq!(read(name, bytes).unwrap_err().to_string(), expected, "{bytes:02x?}");
        }
        assert_eq!(msgpack::decode(b"", &schema()).unwrap_err().to_string(), "the value ends early");
    }

    #[test]
    fn an_object_is_written_with_every_attribute_of_its_schema() {
        let value = Value::object([
            ("c", Secret::new("x").into()),
            ("n", number("587")),
            ("o", Value::object([("n", Value::Unknown)])),
        ]);
        let expected =
            b"\x87\xa1s\xc0\xa1b\xc0\xa1c\xa1x\xa1l\xc0\xa1n\xcd\x02\x4b\xa1o\x82\xa1c\xc0\xa1n\xd4\x00\x00\xa1p\xc0";
        assert_eq!(msgpack::encode(&value, &schema()), expected);
    }

    #[test]
    fn a_number_is_written_in_the_first_form_that_is_exact() {
        let attributes = [Attribute::optional("n", Type::Number, "")];
        for (text, expected) in [
            ("-1", &b"\xff"[..]),
            ("18446744073709551615", b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
            ("-9223372036854775808", b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),
            ("18446744073709551616", b"\xb418446744073709551616"),
            ("0.5", b"\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00"),
            ("0.1", b"\xa30.1"),
        ] {
            let bytes = msgpack::encode(&Value::object([("n", number(text))]), &attributes);
            assert_eq!(bytes, [b"\x81\xa1n", expected].concat(), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_written_as_null_and_a_password_always_fits() {
        let misfits = Value::object([("b", "x".into()), ("n", list([])), ("l", true.into()), ("o", number("1"))]);
        let read = msgpack::decode(&msgpack::encode(&misfits, &schema()), &schema()).unwrap();
        assert!(read.as_object().unwrap().values().all(Value::is_null));
        assert_eq!(msgpack::encode(&true.into(), &schema()), b"\xc0");

        let password = Value::object([("s", Secret::new("p").into()), ("z", Secret::new("dropped").into())]);
        let read = msgpack::decode(&msgpack::encode(&password, &schema()), &schema()).unwrap();
        assert_eq!(read.get("s"), &"p".into());
    }
}

mod secrets {
    use super::*;

    #[test]
    fn text_of_a_sensitive_attribute_is_read_as_a_secret() {
        let hidden = Value::from(Secret::new("hunter2"));
        assert_eq!(read("c", b"\xa7hunter2"), Ok(hidden.clone()));
        assert_eq!(read_json("c", r#""hunter2""#), Ok(hidden.clone()));
        assert_eq!(
            read("p", b"\x91\x81\xa1c\xa7hunter2").unwrap(),
            read_json("p", r#"[{"c":"h\u0075nter2"}]"#).unwrap()
        );
        assert_eq!(read_json("o", r#"{"c":"hunter2"}"#).unwrap().get("c"), &hidden);
    }

    #[test]
    fn text_in_a_secret_list_or_object_is_read_as_a_secret() {
        let nested = vec![Attribute::optional("s", Type::String, "")];
        let attributes = [
            Attribute::optional("l", Type::List(Box::new(Type::String)), "").sensitive(),
            Attribute::optional("o", Type::Object(nested.clone()), "").write_only(),
            Attribute::optional("p", Type::Objects(nested), "").sensitive(),
        ];
        let json = json::decode(br#"{"l":["a"],"o":{"s":"b"},"p":[{"s":"c"}]}"#, &attributes).unwrap();
        let msgpack =
            msgpack::decode(b"\x83\xa1l\x91\xa1a\xa1o\x81\xa1s\xa1b\xa1p\x91\x81\xa1s\xa1c", &attributes).unwrap();
        assert_eq!(json, msgpack);
        assert_eq!(json.get("l"), &Value::List(vec![Secret::new("a").into()]));
        assert_eq!(json.get("o").get("s"), &Secret::new("b").into());
        assert_eq!(json.get("p"), &Value::List(vec![Value::object([("s", Secret::new("c").into())])]));
    }

    #[test]
    fn no_fault_repeats_what_was_read() {
        let jsons = [
            r#"{"n":"hunter2"}"#,
            r#"{"b":"hunter2"}"#,
            r#"{"l":["a",{"hunter2":1}]}"#,
            r#"{"o":"hunter2"}"#,
            r#"{"c":"hunter2}"#,
            r#"{"c":hunter2}"#,
            r#""hunter2""#,
            r#"{"n":1} hunter2"#,
        ];
        let json = jsons.map(|json| json::decode(json.as_bytes(), &schema()).unwrap_err());
        let msgpack = ["b", "n", "l", "o", "p"].map(|name| read(name, b"\xa7hunter2").unwrap_err());
        let unknown = msgpack::decode(b"\x81\xa7hunter2\xc0", &schema()).unwrap_err();
        for malformed in json.iter().chain(&msgpack).chain([&unknown]) {
            assert!(!format!("{malformed} {malformed:?}").contains("hunter"), "{malformed}");
        }
    }
}

mod json_states {
    use super::*;

    /// A schema that grew and lost attributes since the state was written.
    fn grown() -> Vec<Attribute> {
        let nested = || {
            vec![Attribute::required("host", Type::String, ""), Attribute::optional_computed("port", Type::Number, "")]
        };
        vec![
            Attribute::computed("id", Type::String, ""),
            Attribute::optional("mode", Type::String, ""),
            Attribute::optional("one", Type::Object(nested()), ""),
            Attribute::optional("many", Type::Objects(nested()), ""),
        ]
    }

    #[test]
    fn what_an_old_state_lacks_is_null_at_every_depth() {
        let state = json::decode(br#"{"one":{"host":"a"},"many":[{"host":"b","port":25},{}]}"#, &grown()).unwrap();
        let nested =
            |host: Option<&str>, port: Option<u16>| Value::object([("host", host.into()), ("port", port.into())]);
        let expected = Value::object([
            ("id", Value::Null),
            ("mode", Value::Null),
            ("one", nested(Some("a"), None)),
            ("many", Value::List(vec![nested(Some("b"), Some(25)), nested(None, None)])),
        ]);
        assert_eq!(state, expected);
    }

    #[test]
    fn what_the_schema_no_longer_knows_is_dropped_at_every_depth() {
        let extra =
            br#"{"gone":[{"a":[1,null]}],"id":"1","mode":"m","many":null,"one":{"host":"a","port":1,"gone":{}}}"#;
        let plain = br#"{"id":"1","mode":"m","one":{"host":"a","port":1}}"#;
        assert_eq!(json::decode(extra, &grown()), json::decode(plain, &grown()));
    }

    #[test]
    fn a_null_stays_null() {
        let state = json::decode(br#"{"mode":null}"#, &grown()).unwrap();
        assert!(state.get("mode").is_null());
        assert_eq!(json::decode(b" null ", &grown()), Ok(Value::Null));
    }

    #[test]
    fn a_number_keeps_its_digits() {
        for digits in ["0.1", "-18446744073709551616", "3.14159265358979323846264338327950288"] {
            assert_eq!(read_json("n", digits), Ok(number(digits)));
        }
        assert_eq!(read_json("n", "5.870E+2"), Ok(number("587")));
    }

    #[test]
    fn a_mistake_is_reported_by_place_and_kind() {
        for (json, expected) in [
            ("", "the value is not valid JSON"),
            ("{", "the value is not valid JSON"),
            ("{} {}", "the value is not valid JSON"),
            ("[]", "the value is not an object"),
            ("1", "the value is not an object"),
            (r#"{"b":1}"#, "`b` is not a bool"),
            (r#"{"n":true}"#, "`n` is not a number"),
            (r#"{"n":"587"}"#, "`n` is not a number"),
            (r#"{"n":{}}"#, "`n` is not a number"),
            (r#"{"n":1e999999999}"#, "`n` is not a number"),
            (r#"{"s":1}"#, "`s` is not a string"),
            (r#"{"s":["a"]}"#, "`s` is not a string"),
            (r#"{"c":1}"#, "`c` is not a string"),
            (r#"{"l":{}}"#, "`l` is not a list"),
            (r#"{"l":["a",2]}"#, "`l[1]` is not a string"),
            (r#"{"o":[]}"#, "`o` is not an object"),
            (r#"{"o":{"n":[]}}"#, "`o.n` is not a number"),
            (r#"{"p":[null,{"c":{}}]}"#, "`p[1].c` is not a string"),
            (r#"{"s":"a","s":"b"}"#, "`s` is there twice"),
            (r#"{"s":"\ud800"}"#, "`s` is not valid JSON"),
            (r#"{"o":{"c":"a}}"#, "`o.c` is not valid JSON"),
        ] {
            assert_eq!(json::decode(json.as_bytes(), &schema()).unwrap_err().to_string(), expected, "{json}");
        }
        assert_eq!(json::decode(b"{\"s\":\"\xff\"}", &schema()).unwrap_err().to_string(), "`s` is not valid JSON");
    }

    #[test]
    fn depth_that_the_schema_does_not_know_is_no_danger() {
        let deep = format!(r#"{{"gone":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(json::decode(deep.as_bytes(), &schema()), json::decode(b"{}", &schema()));
    }
}

mod properties {
    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read((attributes, value) in schema_and_value(Parts::AnyKnownness)) {
            prop_assert_eq!(msgpack::decode(&msgpack::encode(&value, &attributes), &attributes), Ok(value));
        }

        #[test]
        fn no_part_of_a_message_is_a_message((attributes, value) in schema_and_value(Parts::AnyKnownness), cut in any::<prop::sample::Index>()) {
            let bytes = msgpack::encode(&value, &attributes);
            prop_assert!(msgpack::decode(&bytes[..cut.index(bytes.len())], &attributes).is_err());
        }

        #[test]
        fn what_core_stores_as_json_is_what_is_read((attributes, value) in schema_and_value(Parts::Known)) {
            let json = to_json(&value).to_string();
            prop_assert_eq!(json::decode(json.as_bytes(), &attributes), Ok(value));
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in collection::vec(any::<u8>(), 0..64), name in "[bnsclop]") {
            let _ = msgpack::decode(&bytes, &schema());
            let _ = json::decode(&bytes, &schema());
            let _ = read(&name, &bytes);
            let _ = read_json(&name, &String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn no_damage_is_too_strange(
            (attributes, value) in schema_and_value(Parts::Known),
            place in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            for mut bytes in [msgpack::encode(&value, &attributes), to_json(&value).to_string().into_bytes()] {
                let place = place.index(bytes.len());
                bytes[place] = byte;
                let _ = msgpack::decode(&bytes, &attributes);
                let _ = json::decode(&bytes, &attributes);
            }
        }

        #[test]
        fn a_number_is_the_same_after_writing_and_reading(number in numbers()) {
            prop_assert_eq!(Number::parse(&number.to_string()), Some(number));
        }

        #[test]
        fn a_float_is_the_same_after_the_round_trip(float in any::<f64>().prop_filter("finite", |float| float.is_finite())) {
            let number = Number::from_f64(float).unwrap();
            prop_assert_eq!(number.as_f64(), Some(float));
            prop_assert_eq!(Number::parse(&format!("{float:e}")).unwrap().as_f64(), Some(float));
        }
    }

    /// Whether parts of a generated value may be unknown.
    #[derive(Clone, Copy)]
    enum Parts {
        Known,
        AnyKnownness,
    }

    fn schema_and_value(parts: Parts) -> impl Strategy<Value = (Vec<Attribute>, Value)> {
        attributes(types()).prop_flat_map(move |attributes| {
            let value = object(&attributes, parts);
            (Just(attributes), value)
        })
    }

    fn types() -> impl Strategy<Value = Type> {
        let primitive = prop_oneof![Just(Type::Bool), Just(Type::Number), Just(Type::String)];
        let leaf = prop_oneof![
            3 => primitive.clone(),
            1 => primitive.prop_map(|element| Type::List(Box::new(element))),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                2 => attributes(inner.clone()).prop_map(Type::Object),
                1 => attributes(inner.clone()).prop_map(Type::Block),
                1 => inner.clone().prop_map(|element| Type::Map(Box::new(element))),
                2 => attributes(inner).prop_map(Type::Objects),
            ]
        })
    }

    /// Attributes in any order; a text among them may be sensitive.
    fn attributes(types: impl Strategy<Value = Type>) -> impl Strategy<Value = Vec<Attribute>> {
        let attributes = collection::btree_map("[a-z]{1,3}|é.{0,40}", (types, any::<bool>()), 0..5);
        let attributes = attributes.prop_map(|attributes| attributes.into_iter().map(attribute).collect::<Vec<_>>());
        attributes.prop_shuffle()
    }

    fn attribute((name, (r#type, is_sensitive)): (String, (Type, bool))) -> Attribute {
        let is_text = matches!(r#type, Type::String);
        let attribute = Attribute::optional(Cow::Owned(name), r#type, "");
        if is_text && is_sensitive { attribute.sensitive() } else { attribute }
    }

    fn object(attributes: &[Attribute], parts: Parts) -> BoxedStrategy<Value> {
        let values = attributes.iter().map(|attribute| {
            let value = part(&attribute.r#type, parts);
            let is_secret = attribute.is_secret();
            let value = value.prop_map(move |value| match value {
                Value::String(text) if is_secret => Secret::from(text).into(),
                value => value,
            });
            (Just(attribute.name.to_string()), value)
        });
        values.collect::<Vec<_>>().prop_map(Value::object).boxed()
    }

    fn part(r#type: &Type, parts: Parts) -> BoxedStrategy<Value> {
        let set = match r#type {
            Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
            Type::Number => numbers().prop_map(Value::Number).boxed(),
            Type::String => texts().prop_map(Value::String).boxed(),
            Type::List(element) => collection::vec(part(element, parts), 0..20).prop_map(Value::List).boxed(),
            Type::Object(attributes) | Type::Block(attributes) => object(attributes, parts),
            Type::Map(element) => {
                collection::btree_map("[ -~]{0,5}", part(element, parts), 0..5).prop_map(Value::object).boxed()
            }
            Type::Objects(attributes) => collection::vec(object(attributes, parts), 0..4).prop_map(Value::List).boxed(),
        };
        match parts {
            Parts::Known => prop_oneof![6 => set, 1 => Just(Value::Null)].boxed(),
            Parts::AnyKnownness => prop_oneof![6 => set, 1 => Just(Value::Null), 1 => Just(Value::Unknown)].boxed(),
        }
    }

    /// Text of every length class, up to more than 64 KiB.
    fn texts() -> impl Strategy<Value = String> {
        let lengths = prop::sample::select(vec![31, 32, 255, 256, 65_535, 65_536]);
        prop_oneof![
            12 => any::<String>(),
            1 => (lengths.clone(), "[a-z]").prop_map(|(length, letter)| letter.repeat(length)),
            1 => (lengths, any::<char>()).prop_map(|(length, letter)| letter.to_string().repeat(length)),
        ]
    }

    fn numbers() -> impl Strategy<Value = Number> {
        let floats = any::<f64>().prop_filter_map("finite", Number::from_f64);
        let decimals = r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?";
        prop_oneof![
            any::<i64>().prop_map(Number::from),
            any::<u64>().prop_map(|integer| Number::parse(&integer.to_string()).unwrap()),
            floats,
            decimals.prop_map(|text| Number::parse(&text).unwrap()),
        ]
    }

    /// A known value as core writes it into a state.
    fn to_json(value: &Value) -> serde_json::Value {
        match value {
            Value::Null => serde_json::Value::Null,
            Value::Unknown => unreachable!("only known values are written as JSON"),
            Value::Bool(value) => (*value).into(),
            Value::Number(number) => serde_json::Value::Number(number.to_string().parse().unwrap()),
            Value::String(text) => text.as_str().into(),
            Value::Secret(secret) => secret.for_state().into(),
            Value::List(items) => items.iter().map(to_json).collect(),
            Value::Object(attributes) => {
                attributes.iter().map(|(name, value)| (name.to_owned(), to_json(value))).collect()
            }
        }
    }
}
