//! A JSON object, read field by field, each once it is asked for. Every form that comes in as JSON is read by this one: a reader
//! derived for each would be a tenth of the worker.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use selvedge_core::limits::OBJECT_FIELDS_MAX;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

pub use serde_json::Error;

/// A JSON object of at most [`OBJECT_FIELDS_MAX`] fields. One that is `null` is as if it were not there.
#[derive(Debug, Clone)]
pub struct Object<'a> {
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// A text, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Object<'a> {
    /// The object in `text`.
    ///
    /// # Errors
    /// [`Error`] for anything else, and where a field stands in it twice.
    pub fn read(text: &'a str) -> Result<Self, Error> {
        serde_json::from_str(text)
    }

    /// The object in `text`, which is to be UTF-8.
    ///
    /// # Errors
    /// As [`Object::read`].
    pub fn of_bytes(text: &'a [u8]) -> Result<Self, Error> {
        serde_json::from_slice(text)
    }

    /// The objects of a list.
    ///
    /// # Errors
    /// As [`Object::read`].
    pub fn list_of(text: &'a str) -> Result<Vec<Self>, Error> {
        serde_json::from_str(text)
    }

    /// The field as it is written; `None` where there is none.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let (_, value) = self.fields.iter().find(|(known, _)| known == name)?;
        Some(*value).filter(|value| value.get() != "null")
    }

    /// A text; `None` where there is none.
    ///
    /// # Errors
    /// [`Error`] where the field is something else.
    pub fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, Error> {
        Ok(self.read_as::<Text<'a>>(name)?.map(|Text(text)| text))
    }

    /// A text; empty where there is none.
    ///
    /// # Errors
    /// [`Error`] where the field is something else.
    pub fn word(&self, name: &str) -> Result<Cow<'a, str>, Error> {
        Ok(self.text(name)?.unwrap_or_default())
    }

    /// A text of one's own; empty where there is none.
    ///
    /// # Errors
    /// [`Error`] where the field is something else.
    pub fn string(&self, name: &str) -> Result<String, Error> {
        Ok(self.word(name)?.into_owned())
    }

    /// A whole number that is not negative; `None` where there is none.
    ///
    /// # Errors
    /// [`Error`] where the field is something else, or a greater number than `T` holds.
    pub fn number<T: TryFrom<u64>>(&self, name: &'static str) -> Result<Option<T>, Error> {
        let number = self.read_as::<u64>(name)?.map(T::try_from).transpose();
        number.map_err(|_| Error::custom(format_args!("`{name}` is too great a number")))
    }

    /// A whole number; 0 where there is none.
    ///
    /// # Errors
    /// [`Error`] where the field is something else.
    pub fn signed(&self, name: &str) -> Result<i64, Error> {
        Ok(self.read_as(name)?.unwrap_or_default())
    }

    /// A flag; down where there is none.
    ///
    /// # Errors
    /// [`Error`] where the field is something else.
    pub fn flag(&self, name: &str) -> Result<bool, Error> {
        Ok(self.read_as(name)?.unwrap_or_default())
    }

    /// A list; empty where there is none.
    ///
    /// # Errors
    /// [`Error`] where the field is something else.
    pub fn list(&self, name: &str) -> Result<Vec<&'a RawValue>, Error> {
        Ok(self.read_as(name)?.unwrap_or_default())
    }

    /// A list of texts; empty where there is none.
    ///
    /// # Errors
    /// [`Error`] where the field is something else.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        Ok(self.read_as(name)?.unwrap_or_default())
    }

    /// A list of objects; empty where there is none.
    ///
    /// # Errors
    /// [`Error`] where the field is something else.
    pub fn objects(&self, name: &str) -> Result<Vec<Self>, Error> {
        self.raw(name).map_or_else(|| Ok(Vec::new()), |raw| Self::list_of(raw.get()))
    }

    /// What must be there.
    ///
    /// # Errors
    /// [`Error`] that names the field, where it is not.
    pub fn needed<T>(name: &'static str, field: Option<T>) -> Result<T, Error> {
        field.ok_or_else(|| Error::missing_field(name))
    }

    /// Nothing else than these fields may stand in it.
    ///
    /// # Errors
    /// [`Error`] that names one that does.
    pub fn only(&self, names: &'static [&'static str]) -> Result<(), Error> {
        let unknown = self.fields.iter().find(|(name, _)| !names.contains(&name.as_ref()));
        unknown.map_or(Ok(()), |(name, _)| Err(Error::unknown_field(name, names)))
    }

    fn read_as<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, Error> {
        self.raw(name).map(|raw| serde_json::from_str(raw.get())).transpose()
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Object<'de>, A::Error> {
        let mut fields: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
        while let Some(Text(name)) = entries.next_key()? {
            if fields.len() >= OBJECT_FIELDS_MAX {
                return Err(A::Error::custom("an object with too many fields"));
            }
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            fields.push((name, entries.next_value()?));
        }
        Ok(Object { fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn fields_are_read_as_what_they_are_asked_for() {
        let text = r#"{"t":"a\n","n":7,"s":-7,"f":true,"l":[1,"x"],"ts":["a","b"],"o":[{"n":1}],"no":null}"#;
        let object = Object::read(text).unwrap();
        assert_eq!(object.text("t").unwrap().as_deref(), Some("a\n"));
        assert_eq!(object.number::<u8>("n").unwrap(), Some(7));
        assert_eq!((object.signed("s").unwrap(), object.flag("f").unwrap()), (-7, true));
        let list = object.list("l").unwrap();
        assert_eq!(list.iter().map(|raw| raw.get()).collect::<Vec<_>>(), ["1", "\"x\""]);
        assert_eq!(object.texts("ts").unwrap(), ["a", "b"]);
        assert_eq!(object.objects("o").unwrap()[0].number("n").unwrap(), Some(1u32));
        assert!(object.raw("no").is_none() && object.word("none").unwrap().is_empty());
    }

    #[test]
    fn a_field_of_another_kind_is_told() {
        let object = Object::read(r#"{"t":"a","n":300,"s":1.5}"#).unwrap();
        assert!(object.text("n").is_err() && object.flag("t").is_err() && object.list("n").is_err());
        assert_eq!(object.number::<u8>("n").unwrap_err().to_string(), "`n` is too great a number");
        assert!(object.signed("s").is_err() && object.number::<u64>("t").is_err());
        assert!(object.only(&["t", "n", "s"]).is_ok());
        assert!(object.only(&["t", "n"]).unwrap_err().to_string().contains("unknown field `s`"));
        assert_eq!(Object::needed("x", object.raw("x")).unwrap_err().to_string(), "missing field `x`");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "{", "[]", "7", r#"{"a":1,"a":2}"#, r#"{"a":1} x"#, r#"{"a":}"#] {
            assert!(Object::read(text).is_err(), "{text}");
        }
        let fields = |count: usize| {
            let fields: Vec<String> = (0..count).map(|at| alloc::format!("\"{at}\":0")).collect();
            alloc::format!("{{{}}}", fields.join(","))
        };
        assert!(Object::read(&fields(OBJECT_FIELDS_MAX)).is_ok());
        assert!(Object::read(&fields(OBJECT_FIELDS_MAX + 1)).is_err());
    }
}
