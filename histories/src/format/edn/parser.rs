//! Forms of EDN, the extensible data notation of Clojure, one at a time from a stream of bytes.
//!
//! The grammar is that of <https://github.com/edn-format/edn>, and of what Clojure's printer writes beyond it:
//! ratios, `##Inf`, `#"regex"`, `#:namespace{…}`. A tagged form is its value without the tag.

use std::io::BufRead;

use super::super::error::ReadError;
use super::super::limits::DEPTH_MAX;
use super::super::source::ByteSource;
use crate::value::Value;

/// What stands next in the text.
pub(in crate::format) enum Form {
    /// A value.
    Value(Value),
    /// A bracket that closes what was opened before.
    Close(u8),
    /// `#_` and the form after it: nothing.
    Discarded,
    /// The end of the text.
    End,
}

/// Reads forms from a source.
pub(in crate::format) struct Parser<R> {
    pub(super) source: ByteSource<R>,
    depth: usize,
    /// The name being read; kept to spare an allocation each.
    token: Vec<u8>,
}

impl<R: BufRead> Parser<R> {
    /// A parser of an input whose first line has this number.
    pub(in crate::format) fn new(input: R, line: u64) -> Self {
        Self {
            source: ByteSource::new(input, line),
            depth: 0,
            token: Vec::new(),
        }
    }

    /// The line of the next byte.
    pub(in crate::format) fn line(&self) -> u64 {
        self.source.line()
    }

    /// The error that the text is not EDN.
    pub(super) fn malformed(&self, problem: impl Into<String>) -> ReadError {
        ReadError::Malformed {
            line: self.source.line(),
            format: "EDN",
            problem: problem.into(),
        }
    }

    /// The error that the text ends too early.
    fn cut_off(&self) -> ReadError {
        ReadError::CutOff {
            line: self.source.event_line(),
            what: "event",
        }
    }

    /// The error that a token is nothing in EDN, or that it is only the first half of something.
    fn bad_token(&mut self, problem: String) -> ReadError {
        match self.source.peek() {
            Ok(None) if self.depth > 0 => self.cut_off(),
            Ok(_) => self.malformed(problem),
            Err(error) => error,
        }
    }

    /// A value, where there must be one.
    pub(in crate::format) fn value(&mut self) -> Result<Value, ReadError> {
        loop {
            match self.form()? {
                Form::Value(value) => return Ok(value),
                Form::Discarded => {}
                Form::Close(bracket) => {
                    let bracket = char::from(bracket);
                    return Err(self.malformed(format!("`{bracket}` where a value should be")));
                }
                Form::End => return Err(self.cut_off()),
            }
        }
    }

    /// What stands next.
    pub(in crate::format) fn form(&mut self) -> Result<Form, ReadError> {
        self.skip_blank()?;
        let Some(byte) = self.source.peek()? else {
            return Ok(Form::End);
        };
        if !is_bracket_or_quote(byte) && byte != b'#' {
            return self.token_value().map(Form::Value);
        }
        self.source.next()?;
        let value = match byte {
            b')' | b']' | b'}' => return Ok(Form::Close(byte)),
            b'(' => Value::list(self.items(b')')?),
            b'[' => Value::list(self.items(b']')?),
            b'{' => self.map()?,
            b'"' => self.string()?,
            b'\\' => self.character()?,
            _ => return self.dispatch(),
        };
        Ok(Form::Value(value))
    }

    /// Skips white space, commas and comments.
    pub(in crate::format) fn skip_blank(&mut self) -> Result<(), ReadError> {
        while let Some(byte) = self.source.peek()? {
            match byte {
                b';' => while !matches!(self.source.next()?, None | Some(b'\n')) {},
                _ if is_blank(byte) => {
                    self.source.next()?;
                }
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// The values up to a closing bracket.
    fn items(&mut self, close: u8) -> Result<Vec<Value>, ReadError> {
        self.nested(|parser| {
            let mut items = Vec::new();
            loop {
                match parser.form()? {
                    Form::Value(value) => items.push(value),
                    Form::Discarded => {}
                    Form::Close(bracket) if bracket == close => return Ok(items),
                    Form::Close(bracket) => {
                        let (bracket, close) = (char::from(bracket), char::from(close));
                        return Err(
                            parser.malformed(format!("`{bracket}` where `{close}` should be"))
                        );
                    }
                    Form::End => return Err(parser.cut_off()),
                }
            }
        })
    }

    fn map(&mut self) -> Result<Value, ReadError> {
        let mut items = self.items(b'}')?;
        if items.len() % 2 == 1 {
            let last = items.pop().unwrap_or_default();
            return Err(self.malformed(format!("a map whose last key, {last}, has no value")));
        }
        let mut entries = Vec::with_capacity(items.len() / 2);
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            entries.push((key, value));
        }
        Ok(Value::map(entries))
    }

    /// One level deeper.
    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        if self.depth == DEPTH_MAX {
            return Err(ReadError::TooDeep {
                line: self.source.line(),
            });
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// What follows a `#`.
    fn dispatch(&mut self) -> Result<Form, ReadError> {
        match self.source.peek()? {
            None => Err(self.cut_off()),
            Some(b'{') => {
                self.source.next()?;
                Ok(Form::Value(Value::set(self.items(b'}')?)))
            }
            Some(b'_') => {
                self.source.next()?;
                self.nested(Self::value)?;
                Ok(Form::Discarded)
            }
            // A regular expression: its backslashes are its own.
            Some(b'"') => {
                self.source.next()?;
                let raw = self.quoted()?;
                self.text(&raw).map(Form::Value)
            }
            Some(b'#') => {
                self.source.next()?;
                let name = self.name()?;
                Ok(Form::Value(Value::Number(format!("##{name}").into())))
            }
            Some(byte) if byte == b':' || byte.is_ascii_alphabetic() => {
                self.name()?;
                self.nested(Self::value).map(Form::Value)
            }
            Some(byte) => {
                let byte = byte.escape_ascii();
                Err(self.malformed(format!(
                    "`#{byte}`, which nothing but Clojure's printer writes"
                )))
            }
        }
    }

    /// The characters up to white space or a bracket.
    fn name(&mut self) -> Result<&str, ReadError> {
        self.token.clear();
        while let Some(byte) = self.source.peek()? {
            if is_blank(byte) || byte == b';' || (is_bracket_or_quote(byte) && byte != b'\\') {
                break;
            }
            self.source.next()?;
            self.token.push(byte);
        }
        let line = self.source.line();
        str::from_utf8(&self.token).map_err(|_| not_utf8(line))
    }

    /// A number, a keyword, a symbol, `nil`, `true` or `false`.
    fn token_value(&mut self) -> Result<Value, ReadError> {
        let name = self.name()?;
        Ok(match name {
            "nil" => Value::Nil,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            ":" => return Err(self.bad_token("a keyword without a name".to_owned())),
            _ => match name.strip_prefix(':') {
                Some(keyword) => Value::keyword(keyword),
                None if begins_number(name) => match number(name) {
                    Some(number) => number,
                    None => {
                        let problem = format!("`{name}` is not a number");
                        return Err(self.bad_token(problem));
                    }
                },
                None => Value::keyword(name),
            },
        })
    }

    /// The bytes up to the closing quote, as they stand; the opening one has been taken.
    fn quoted(&mut self) -> Result<Vec<u8>, ReadError> {
        let mut raw = Vec::new();
        loop {
            match self.source.next()?.ok_or_else(|| self.cut_off())? {
                b'"' => return Ok(raw),
                b'\\' => {
                    raw.push(b'\\');
                    raw.push(self.source.next()?.ok_or_else(|| self.cut_off())?);
                }
                byte => raw.push(byte),
            }
        }
    }

    fn text(&self, bytes: &[u8]) -> Result<Value, ReadError> {
        str::from_utf8(bytes)
            .map(Value::text)
            .map_err(|_| not_utf8(self.source.line()))
    }

    fn string(&mut self) -> Result<Value, ReadError> {
        let raw = self.quoted()?;
        if !raw.contains(&b'\\') {
            return self.text(&raw);
        }
        let raw = str::from_utf8(&raw).map_err(|_| not_utf8(self.source.line()))?;
        match unescaped(raw) {
            Ok(text) => Ok(Value::Text(text.into())),
            Err(escape) => {
                Err(self.malformed(format!("`\\{escape}` in a string, which is no escape")))
            }
        }
    }

    /// A character, as a string of one.
    fn character(&mut self) -> Result<Value, ReadError> {
        // The first byte belongs to the character whatever it is: `\(`, `\;`.
        let Some(first) = self.source.next()? else {
            return Err(self.cut_off());
        };
        let rest = self.name()?.to_owned();
        let mut bytes = vec![first];
        bytes.extend_from_slice(rest.as_bytes());
        let name = str::from_utf8(&bytes).map_err(|_| not_utf8(self.source.line()))?;
        let named = match name {
            "newline" => Some('\n'),
            "return" => Some('\r'),
            "space" => Some(' '),
            "tab" => Some('\t'),
            "backspace" => Some('\u{8}'),
            "formfeed" => Some('\u{c}'),
            _ => None,
        };
        let code = name
            .strip_prefix('u')
            .filter(|digits| digits.len() == 4)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .and_then(char::from_u32);
        let mut characters = name.chars();
        match (named.or(code), characters.next(), characters.next()) {
            (Some(character), ..) | (None, Some(character), None) => {
                Ok(Value::text(character.encode_utf8(&mut [0; 4])))
            }
            _ => {
                let problem = format!("`\\{name}` is not a character");
                Err(self.bad_token(problem))
            }
        }
    }
}

impl<'a> Parser<&'a [u8]> {
    /// What follows the forms that were read.
    pub(in crate::format) fn rest(&self) -> &'a [u8] {
        self.source.rest()
    }
}

fn not_utf8(line: u64) -> ReadError {
    ReadError::Malformed {
        line,
        format: "EDN",
        problem: "bytes that are not UTF-8".to_owned(),
    }
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b',' || byte == 0x0b
}

fn is_bracket_or_quote(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'"' | b'\\')
}

/// Whether a token is a number or nothing: `3`, `-3`, `+3`, but not `-` or `-x`.
fn begins_number(token: &str) -> bool {
    token
        .trim_start_matches(['+', '-'])
        .starts_with(|first: char| first.is_ascii_digit())
}

/// The number that a token is. Equal numbers are equal values, also to what JSON would give: `1.50` is `1.5`.
pub(super) fn number(token: &str) -> Option<Value> {
    let unsigned = token.strip_prefix(['+', '-']).unwrap_or(token);
    let all_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let digits = unsigned.strip_suffix('N').unwrap_or(unsigned);
    if all_digits(digits) {
        let text = token.strip_suffix('N').unwrap_or(token);
        let text = text.strip_prefix('+').unwrap_or(text);
        return Some(match text.parse() {
            Ok(number) => Value::Int(number),
            Err(_) => Value::Number(text.into()),
        });
    }
    if let Some((above, below)) = unsigned.split_once('/') {
        return (all_digits(above) && all_digits(below)).then(|| Value::Number(token.into()));
    }
    if let Some(decimal) = token.strip_suffix('M') {
        return decimal
            .parse::<f64>()
            .is_ok()
            .then(|| Value::Number(token.into()));
    }
    let number: f64 = token.parse().ok()?;
    Some(Value::Number(if number.is_finite() {
        number.to_string().into()
    } else {
        token.into()
    }))
}

/// The text that the inside of a string stands for; the error is the first thing that is no escape.
fn unescaped(raw: &str) -> Result<String, String> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        let escape = rest.next().unwrap_or('\\');
        text.push(match escape {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            '"' | '\\' => escape,
            'u' => {
                let (code, length) = code_point(rest.as_str()).ok_or("u")?;
                rest = rest.as_str()[length..].chars();
                code
            }
            _ => return Err(escape.to_string()),
        });
    }
    Ok(text)
}

/// The character of the hexadecimal digits that follow `\u`, and how long its notation is: characters beyond
/// U+FFFF are two escapes, as in Java and JSON.
fn code_point(text: &str) -> Option<(char, usize)> {
    let unit = |text: &str| u16::from_str_radix(text.get(..4)?, 16).ok();
    let first = unit(text)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Some((character, 4));
    }
    let second = unit(text.get(4..)?.strip_prefix("\\u")?)?;
    let character = char::decode_utf16([first, second]).next()?.ok()?;
    Some((character, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Value, String> {
        Parser::new(text.as_bytes(), 1)
            .value()
            .map_err(|error| error.to_string())
    }

    fn number_of(text: &str) -> Value {
        Value::Number(text.into())
    }

    #[test]
    fn every_kind_of_form_is_read() {
        let cases = [
            ("nil", Value::Nil),
            ("true", Value::Bool(true)),
            ("-7", Value::Int(-7)),
            ("+7N", Value::Int(7)),
            ("123456789012345678901N", number_of("123456789012345678901")),
            ("1.50", number_of("1.5")),
            ("1.50M", number_of("1.50M")),
            ("-1/3", number_of("-1/3")),
            ("##Inf", number_of("##Inf")),
            (r#""a\n\"\u00e9\uD83D\uDE00""#, "a\n\"é😀".into()),
            (r"\a", "a".into()),
            (r"\newline", "\n".into()),
            (r"\u0041", "A".into()),
            (r"\(", "(".into()),
            (":a/b", Value::keyword("a/b")),
            ("some.symbol", Value::keyword("some.symbol")),
            ("-", Value::keyword("-")),
            ("(1,2)", Value::list([Value::Int(1), Value::Int(2)])),
            ("#{2 1 2}", Value::set([Value::Int(1), Value::Int(2)])),
            ("{:a 1}", Value::map([(Value::keyword("a"), Value::Int(1))])),
            ("#inst \"2024\"", "2024".into()),
            ("#jepsen.history.Op{}", Value::map([])),
            (
                "#:jepsen{:a 1}",
                Value::map([(Value::keyword("a"), Value::Int(1))]),
            ),
            (r#"#"\d+""#, r"\d+".into()),
            ("; comment\n #_ [ignored] #_ #_ 1 2 3", Value::Int(3)),
        ];
        for (text, value) in cases {
            assert_eq!(parse(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_not_edn_is_said() {
        for (text, part) in [
            ("1x", "`1x` is not a number"),
            ("[1 }", "`}` where `]` should be"),
            ("{:a}", "last key, :a, has no value"),
            (r#""\q""#, r"`\q` in a string"),
            (r#""\ud800""#, r"`\u` in a string"),
            (r"\word", r"`\word` is not a character"),
            ("#<Object>", "`#<`"),
            ("]", "`]` where a value should be"),
            (":", "a keyword without a name"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn depth_has_a_limit_and_not_the_stack() {
        for open in ["[", "{", "#_", "#a ", "#{"] {
            let error = parse(&open.repeat(1_000_000)).unwrap_err();
            assert!(error.contains("nested more than 127 deep"), "{error}");
        }
        assert!(parse(&format!("{}{}", "[".repeat(127), "]".repeat(127))).is_ok());
    }
}
