//! Values of operations, and the table that keeps each distinct one once.

use std::fmt;
use std::sync::Arc;

use rustc_hash::FxHashMap;

/// What an operation carries: the argument of an invocation, the result of a completion, a key, an error.
///
/// Formats with more types than this are mapped without loss of what a checker can see: EDN keywords stay
/// apart from strings so that a history can be written back for Elle or Knossos.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Nothing: JSON's `null`, EDN's `nil`.
    #[default]
    Nil,
    /// A truth value.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// A number that does not: a fraction or a longer integer, as it was written.
    Number(Arc<str>),
    /// A string.
    Text(Arc<str>),
    /// An EDN keyword or symbol, without its colon.
    Keyword(Arc<str>),
    /// An ordered collection: JSON's array, EDN's vector or list.
    List(Arc<[Self]>),
    /// An unordered collection without duplicates, sorted: EDN's set.
    Set(Arc<[Self]>),
    /// Keys and values, sorted by key.
    Map(Arc<[(Self, Self)]>),
}

impl Value {
    /// The value as text.
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// An EDN keyword.
    pub fn keyword(name: &str) -> Self {
        Self::Keyword(name.into())
    }

    /// A list of values.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// A set of values: sorted, each once.
    pub fn set(items: impl IntoIterator<Item = Self>) -> Self {
        let mut items: Vec<_> = items.into_iter().collect();
        items.sort();
        items.dedup();
        Self::Set(items.into())
    }

    /// A map, sorted by key; of equal keys the last stays.
    pub fn map(entries: impl IntoIterator<Item = (Self, Self)>) -> Self {
        let sorted: std::collections::BTreeMap<_, _> = entries.into_iter().collect();
        Self::Map(sorted.into_iter().collect())
    }

    /// Whether this is [`Value::Nil`].
    pub fn is_nil(&self) -> bool {
        *self == Self::Nil
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The text of a string, keyword or symbol: a name, however the format writes names.
    pub fn as_name(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Keyword(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list or set.
    pub fn as_items(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) | Self::Set(items) => Some(items),
            _ => None,
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// As a person would write it: `nil`, `3`, `"text"`, `:name`, `[1 2]`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn sequence(
            f: &mut fmt::Formatter<'_>,
            open: &str,
            items: &[Value],
            close: &str,
        ) -> fmt::Result {
            f.write_str(open)?;
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    f.write_str(" ")?;
                }
                item.fmt(f)?;
            }
            f.write_str(close)
        }
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Bool(truth) => truth.fmt(f),
            Self::Int(number) => number.fmt(f),
            Self::Number(digits) => f.write_str(digits),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Keyword(name) => write!(f, ":{name}"),
            Self::List(items) => sequence(f, "[", items, "]"),
            Self::Set(items) => sequence(f, "#{", items, "}"),
            Self::Map(entries) => {
                f.write_str("{")?;
                for (position, (key, value)) in entries.iter().enumerate() {
                    let comma = if position > 0 { ", " } else { "" };
                    write!(f, "{comma}{key} {value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

/// A value of a history by its place in the history's [`Values`]; equal values have equal ids.
///
/// Integers of up to 31 bits are their own id, so that a history of millions of distinct small integers needs
/// no table.
/// The default is the id of nil.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(u32);

impl ValueId {
    /// The id of [`Value::Nil`] in every table.
    pub const NIL: Self = Self(0);

    /// So many of the greatest numbers are no ids: they are for those who need some that are not.
    pub const SPARE: u32 = 8;

    const INLINE: u32 = 1 << 31;
    const BIAS: i64 = 1 << 30;

    #[inline]
    fn inline(number: i64) -> Option<Self> {
        let shifted = number.checked_add(Self::BIAS)?;
        (0..2 * Self::BIAS - i64::from(Self::SPARE))
            .contains(&shifted)
            .then(|| Self(Self::INLINE | u32::try_from(shifted).unwrap_or(0)))
    }

    #[inline]
    fn as_inline(self) -> Option<i64> {
        (self.0 & Self::INLINE != 0).then(|| i64::from(self.0 & !Self::INLINE) - Self::BIAS)
    }

    /// The id in the table that absorbed this id's table, given what [`Values::absorb`] gave.
    #[inline]
    pub(crate) fn absorbed(self, places: &[Self]) -> Self {
        if self.0 & Self::INLINE != 0 {
            self
        } else {
            places[self.0 as usize]
        }
    }

    /// Whether this is the id of [`Value::Nil`].
    #[inline]
    pub fn is_nil(self) -> bool {
        self == Self::NIL
    }

    /// Whether this is the id of an integer of up to 31 bits; such ids are in the order of their integers.
    #[inline]
    pub fn is_small_integer(self) -> bool {
        self.0 & Self::INLINE != 0
    }

    /// The id as a number: below 2³¹ the place in the table; from there on integers, in their order.
    #[inline]
    pub fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for ValueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_inline() {
            Some(number) => write!(f, "ValueId(int {number})"),
            None => write!(f, "ValueId(#{})", self.0),
        }
    }
}

/// The distinct values of a history.
#[derive(Clone, Debug)]
pub struct Values {
    table: Vec<Value>,
    ids: FxHashMap<Value, ValueId>,
}

impl Default for Values {
    fn default() -> Self {
        let mut ids = FxHashMap::default();
        ids.insert(Value::Nil, ValueId::NIL);
        Self {
            table: vec![Value::Nil],
            ids,
        }
    }
}

impl Values {
    /// The id of an integer.
    #[inline]
    pub(crate) fn intern_int(&mut self, number: i64) -> ValueId {
        ValueId::inline(number).unwrap_or_else(|| self.intern(Value::Int(number)))
    }

    /// The id of a value, which is remembered if it is new.
    ///
    /// # Panics
    /// Beyond 2³¹ distinct values, which do not fit in memory.
    pub fn intern(&mut self, value: Value) -> ValueId {
        if let Value::Int(number) = value
            && let Some(id) = ValueId::inline(number)
        {
            return id;
        }
        if value.is_nil() {
            return ValueId::NIL;
        }
        if let Some(id) = self.ids.get(&value) {
            return *id;
        }
        let place = u32::try_from(self.table.len())
            .ok()
            .filter(|place| *place < ValueId::INLINE);
        let id = ValueId(place.expect("fewer than 2^31 distinct values"));
        self.table.push(value.clone());
        self.ids.insert(value, id);
        id
    }

    /// Takes the values of another table over. The ids that they have here, by their places there.
    pub(crate) fn absorb(&mut self, other: Self) -> Vec<ValueId> {
        let values = other.table.into_iter();
        values.map(|value| self.intern(value)).collect()
    }

    /// The id of a value if the history has it.
    pub fn find(&self, value: &Value) -> Option<ValueId> {
        value
            .as_int()
            .and_then(ValueId::inline)
            .or_else(|| self.ids.get(value).copied())
    }

    /// How many values the table holds.
    pub fn table_len(&self) -> usize {
        self.table.len()
    }

    /// The value of an id of this table, given as its number.
    ///
    /// # Panics
    /// When no id of this table has that number.
    pub fn numbered(&self, number: u32) -> Value {
        self.value(ValueId(number))
    }

    /// The value of an id of this table.
    pub fn value(&self, id: ValueId) -> Value {
        match id.as_inline() {
            Some(number) => Value::Int(number),
            None => self.table[id.0 as usize].clone(),
        }
    }

    /// The value of an id without cloning it; `None` for the integers that are their own id.
    pub fn stored(&self, id: ValueId) -> Option<&Value> {
        if id.as_inline().is_some() {
            None
        } else {
            self.table.get(id.0 as usize)
        }
    }

    /// The integer behind an id, if it is one.
    pub fn int(&self, id: ValueId) -> Option<i64> {
        id.as_inline()
            .or_else(|| self.stored(id).and_then(Value::as_int))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_equal_ids_and_come_back() {
        let mut values = Values::default();
        let long = i64::from(i32::MAX) * 5;
        for value in [
            Value::Nil,
            Value::Int(-7),
            Value::Int(long),
            "x".into(),
            Value::list([Value::Int(1)]),
        ] {
            let id = values.intern(value.clone());
            assert_eq!(id, values.intern(value.clone()));
            assert_eq!(values.value(id), value);
            assert_eq!(values.find(&value), Some(id));
        }
        assert_eq!(values.find(&"absent".into()), None);
        assert_eq!(
            values.int(values.find(&Value::Int(long)).unwrap()),
            Some(long)
        );
    }

    #[test]
    fn the_edges_of_inline_integers_are_exact() {
        let mut values = Values::default();
        let edge = 1_i64 << 30;
        for number in [
            -edge - 1,
            -edge,
            -1,
            0,
            1,
            edge - 1,
            edge,
            i64::MIN,
            i64::MAX,
        ] {
            let id = values.intern(Value::Int(number));
            assert_eq!(values.value(id), Value::Int(number));
        }
    }
}
