//! The JSON reader against the cases of JSONTestSuite and against `serde_json`.

use std::fs;

use pdl::vm::json::keys::Keys;
use pdl::vm::json::{self, JsonFault, Reader, Shape};
use proptest::prelude::*;
use serde_json::Value;

/// What RFC 8259 lets us choose, and what we chose: the strict side, but numbers may be of any size as text.
const CHOICES: &[(&str, Option<JsonFault>)] = &[
    ("i_number_double_huge_neg_exp", None),
    ("i_number_huge_exp", None),
    ("i_number_neg_int_huge_exp", None),
    ("i_number_pos_double_huge_exp", None),
    ("i_number_real_neg_overflow", None),
    ("i_number_real_pos_overflow", None),
    ("i_number_real_underflow", None),
    ("i_number_too_big_neg_int", None),
    ("i_number_too_big_pos_int", None),
    ("i_number_very_big_negative_int", None),
    ("i_object_key_lone_2nd_surrogate", Some(JsonFault::LoneSurrogate)),
    ("i_string_1st_surrogate_but_2nd_missing", Some(JsonFault::LoneSurrogate)),
    ("i_string_1st_valid_surrogate_2nd_invalid", Some(JsonFault::LoneSurrogate)),
    ("i_string_UTF-16LE_with_BOM", Some(JsonFault::NotUtf8)),
    ("i_string_UTF-8_invalid_sequence", Some(JsonFault::NotUtf8)),
    ("i_string_UTF8_surrogate_U+D800", Some(JsonFault::NotUtf8)),
    ("i_string_incomplete_surrogate_and_escape_valid", Some(JsonFault::LoneSurrogate)),
    ("i_string_incomplete_surrogate_pair", Some(JsonFault::LoneSurrogate)),
    ("i_string_incomplete_surrogates_escape_valid", Some(JsonFault::LoneSurrogate)),
    ("i_string_invalid_lonely_surrogate", Some(JsonFault::LoneSurrogate)),
    ("i_string_invalid_surrogate", Some(JsonFault::LoneSurrogate)),
    ("i_string_invalid_utf-8", Some(JsonFault::NotUtf8)),
    ("i_string_inverted_surrogates_U+1D11E", Some(JsonFault::LoneSurrogate)),
    ("i_string_iso_latin_1", Some(JsonFault::NotUtf8)),
    ("i_string_lone_second_surrogate", Some(JsonFault::LoneSurrogate)),
    ("i_string_lone_utf8_continuation_byte", Some(JsonFault::NotUtf8)),
    ("i_string_not_in_unicode_range", Some(JsonFault::NotUtf8)),
    ("i_string_overlong_sequence_2_bytes", Some(JsonFault::NotUtf8)),
    ("i_string_overlong_sequence_6_bytes", Some(JsonFault::NotUtf8)),
    ("i_string_overlong_sequence_6_bytes_null", Some(JsonFault::NotUtf8)),
    ("i_string_truncated-utf-8", Some(JsonFault::NotUtf8)),
    ("i_string_utf16BE_no_BOM", Some(JsonFault::NotUtf8)),
    ("i_string_utf16LE_no_BOM", Some(JsonFault::NotUtf8)),
    ("i_structure_500_nested_arrays", Some(JsonFault::TooDeep)),
    ("i_structure_UTF-8_BOM_empty_object", Some(JsonFault::ByteOrderMark)),
    // RFC 8259 says "should be unique" and lets both through; two values for one name are two answers, so we do not.
    ("y_object_duplicated_key", Some(JsonFault::DuplicateKey)),
    ("y_object_duplicated_key_and_value", Some(JsonFault::DuplicateKey)),
];

#[test]
fn every_case_of_the_suite_is_answered_as_it_demands_or_as_we_chose() {
    let mut count = 0;
    for file in fs::read_dir("tests/vectors/json").expect("the folder is there") {
        let path = file.expect("the folder can be read").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_stem().and_then(|name| name.to_str()).expect("the names are ASCII").to_owned();
        let bytes = fs::read(&path).expect("the file can be read");
        let fault = json::check(&bytes).err().map(|error| error.fault);
        match CHOICES.iter().find(|(chosen, _)| *chosen == name) {
            Some((_, choice)) => assert_eq!(fault, *choice, "{name}"),
            None if name.starts_with("y_") => assert_eq!(fault, None, "{name}"),
            None => assert!(name.starts_with("n_") && fault.is_some(), "{name}: {fault:?}"),
        }
        count += 1;
    }
    assert_eq!(count, 318);
}

#[test]
fn duplicate_keys_are_found_at_any_depth_and_however_they_are_written() {
    let check = |text: &str| json::check(text.as_bytes()).err().map(|error| (error.fault, error.offset));
    let at = |offset| Some((JsonFault::DuplicateKey, offset));
    assert_eq!(check(r#"{"a": 1, "b": {"a": 1}}"#), None);
    assert_eq!(check(r#"{"a": 1, "a": 1}"#), at(9));
    assert_eq!(check(r#"[{"x": {"a": 1, "\u0061": 1}}]"#), at(16));
    let many: Vec<String> = (0..100).map(|number| format!("\"k{number}\": {number}")).collect();
    assert_eq!(check(&format!("{{{}}}", many.join(","))), None);
    let text = format!("{{{}, \"k\\u0037\": 1}}", many.join(","));
    assert_eq!(check(&text), at(text.find("\"k\\u").expect("it occurs")));
}

#[test]
fn the_path_of_a_fault_is_found_by_its_offset() {
    let path = |text: &str| {
        let error = json::check(text.as_bytes()).expect_err("it is faulty");
        json::path::path_at(text.as_bytes(), error.offset)
    };
    assert_eq!(path(r#"{"context": {"items": [1, 2, {"name": tru}]}}"#), "context.items[2].name");
    assert_eq!(path(r#"{"a": {"b": 1, "b": 2}}"#), "a.b");
    assert_eq!(path(r#"{"a": ["\ud800"]}"#), "a[0]");
    assert_eq!(path("nope"), "");
}

/// Reads a value with the reader's calls, as a decoder would.
fn value(reader: &mut Reader<'_>) -> Result<Value, json::JsonError> {
    let mut buffer = String::new();
    Ok(match reader.peek()? {
        Shape::Object => {
            let mut object = serde_json::Map::new();
            let mut key = reader.first_key()?;
            while let Some(name) = key {
                let name = name.read(&mut buffer).to_owned();
                object.insert(name, value(reader)?);
                key = reader.next_key()?;
            }
            Value::Object(object)
        }
        Shape::Array => {
            let mut array = Vec::new();
            let mut more = reader.first_element()?;
            while more {
                array.push(value(reader)?);
                more = reader.next_element()?;
            }
            Value::Array(array)
        }
        Shape::String => Value::String(reader.string()?.read(&mut buffer).to_owned()),
        Shape::Number => serde_json::from_str(reader.number()?).unwrap_or(Value::Null),
        Shape::Bool => Value::Bool(reader.bool()?),
        Shape::Null => reader.null().map(|()| Value::Null)?,
    })
}

fn read(bytes: &[u8]) -> Result<Value, json::JsonError> {
    let mut reader = Reader::new(bytes)?;
    let value = value(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\"\\\\a-z\u{0}-\u{1f}\u{7f}é🎉]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Value::from),
            prop::collection::vec(("[a-c\"\u{1}é]{0,10}", inner), 0..12)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_serde_writes_is_read_as_the_same(document in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
        let text = text.expect("a value can be written");
        prop_assert_eq!(json::check(text.as_bytes()), Ok(()));
        // serde's own floats come back a little different now and then, so that its reading is what counts.
        let document: Value = serde_json::from_str(&text).expect("serde reads what it wrote");
        let ours = read(text.as_bytes());
        prop_assert_eq!(ours.as_ref(), Ok(&document));
        let mut reader = Reader::new(text.as_bytes()).expect("it is UTF-8");
        reader.pass().expect("it is well formed");
        prop_assert_eq!(reader.offset(), text.len());
    }

    #[test]
    fn mutated_documents_are_refused_where_serde_refuses_them(
        document in any_json(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut bytes = serde_json::to_vec(&document).expect("a value can be written");
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        let ours = read(&bytes);
        let theirs: Result<Value, _> = serde_json::from_slice(&bytes);
        match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
            (Err(_), Err(_)) => {}
            // serde refuses numbers that no float comes near.
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("number out of range"), "{error}"),
            (Err(error), Ok(_)) => prop_assert!(false, "{error}"),
        }
        if let Err(error) = json::check(&bytes) {
            prop_assert!(error.offset <= bytes.len());
            let _ = json::path::path_at(&bytes, error.offset);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), offset in 0..250_usize) {
        let _ = json::check(&bytes);
        let _ = read(&bytes);
        let _ = json::path::path_at(&bytes, offset);
        if let Ok(mut reader) = Reader::new(&bytes) {
            reader.seek(offset);
            let _ = reader.skip(&mut Keys::default());
        }
    }
}
