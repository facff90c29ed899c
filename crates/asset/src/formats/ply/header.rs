//! The text header of a PLY file: which elements follow and how their rows are laid out.

use std::collections::HashMap;

use crate::formats::FormatError;

/// Real headers take a few kilobytes; anything larger is some other file.
const MAX_HEADER_BYTES: usize = 1 << 20;

/// A scalar type of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
}

impl Scalar {
    fn parse(name: &str) -> Result<Self, FormatError> {
        Ok(match name {
            "char" | "int8" => Self::I8,
            "uchar" | "uint8" => Self::U8,
            "short" | "int16" => Self::I16,
            "ushort" | "uint16" => Self::U16,
            "int" | "int32" => Self::I32,
            "uint" | "uint32" => Self::U32,
            "float" | "float32" => Self::F32,
            "double" | "float64" => Self::F64,
            _ => {
                return Err(FormatError::damaged(format!(
                    "its header names an unknown type '{}'",
                    shown(name)
                )));
            }
        })
    }

    pub(super) fn num_bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The value at the start of `bytes`, which must hold at least [`Self::num_bytes`].
    pub(super) fn value(self, bytes: &[u8]) -> f64 {
        fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
            std::array::from_fn(|index| bytes[index])
        }
        match self {
            Self::I8 => f64::from(bytes[0] as i8),
            Self::U8 => f64::from(bytes[0]),
            Self::I16 => f64::from(i16::from_le_bytes(first(bytes))),
            Self::U16 => f64::from(u16::from_le_bytes(first(bytes))),
            Self::I32 => f64::from(i32::from_le_bytes(first(bytes))),
            Self::U32 => f64::from(u32::from_le_bytes(first(bytes))),
            Self::F32 => f64::from(f32::from_le_bytes(first(bytes))),
            Self::F64 => f64::from_le_bytes(first(bytes)),
        }
    }
}

/// Where a column lies in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) offset: usize,
    pub(super) scalar: Scalar,
}

impl Field {
    pub(super) fn value(self, row: &[u8]) -> f32 {
        self.scalar.value(&row[self.offset..]) as f32
    }
}

/// One column of an element.
#[derive(Debug)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) kind: PropertyKind,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum PropertyKind {
    Scalar(Scalar),
    List { count: Scalar, item: Scalar },
}

/// One table of the file.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) count: u64,
    pub(super) properties: Vec<Property>,
}

impl Element {
    /// Bytes of a row, when all rows are alike.
    pub(super) fn fixed_stride(&self) -> Result<usize, FormatError> {
        self.stride()
            .ok_or_else(|| FormatError::unsupported(format!("lists in its '{}' rows", shown(&self.name))))
    }

    /// Where each column that is no list lies in a row whose rows are all alike.
    pub(super) fn fields(&self) -> HashMap<&str, Field> {
        let mut offset = 0;
        let mut fields = HashMap::new();
        for property in &self.properties {
            if let PropertyKind::Scalar(scalar) = property.kind {
                fields.insert(property.name.as_str(), Field { offset, scalar });
                offset += scalar.num_bytes();
            }
        }
        fields
    }

    /// Bytes of a row; `None` when it holds lists and rows differ.
    fn stride(&self) -> Option<usize> {
        self.properties
            .iter()
            .map(|property| match property.kind {
                PropertyKind::Scalar(scalar) => Some(scalar.num_bytes()),
                PropertyKind::List { .. } => None,
            })
            .sum()
    }

    /// Bytes that the element takes at the start of `bytes`, walking the rows where they hold lists.
    fn num_bytes(&self, bytes: &[u8]) -> Result<usize, FormatError> {
        let cut_short = |needed: u64| {
            FormatError::truncated(
                format!("table of {} '{}' rows", self.count, shown(&self.name)),
                needed,
                bytes.len(),
            )
        };
        if let Some(stride) = self.stride() {
            let needed = self.count.saturating_mul(stride as u64);
            return if needed <= bytes.len() as u64 {
                Ok(needed as usize)
            } else {
                Err(cut_short(needed))
            };
        }
        let mut offset = 0_usize;
        for _ in 0..self.count {
            for property in &self.properties {
                let size = match property.kind {
                    PropertyKind::Scalar(scalar) => scalar.num_bytes(),
                    PropertyKind::List { count, item } => {
                        let head = bytes.get(offset..).filter(|rest| rest.len() >= count.num_bytes());
                        let length = count.value(head.ok_or_else(|| cut_short(offset as u64 + 1))?);
                        // A negative or fractional length saturates to something that the check below refuses.
                        count
                            .num_bytes()
                            .saturating_add((length as usize).saturating_mul(item.num_bytes()))
                    }
                };
                offset = offset.saturating_add(size);
                if offset > bytes.len() {
                    return Err(cut_short(offset as u64));
                }
            }
        }
        Ok(offset)
    }
}

/// A parsed header.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) comments: Vec<String>,
    pub(super) elements: Vec<Element>,
    /// Where the first row begins.
    body: usize,
}

impl Header {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        if !(bytes.starts_with(b"ply\n") || bytes.starts_with(b"ply\r")) {
            return Err(FormatError::not_recognized(
                "PLY",
                "it does not begin with the word 'ply'",
            ));
        }
        let mut header = Self {
            comments: Vec::new(),
            elements: Vec::new(),
            body: 0,
        };
        let mut has_format = false;
        let mut offset = 0;
        loop {
            let rest = &bytes[offset..bytes.len().min(MAX_HEADER_BYTES)];
            let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
                return Err(FormatError::damaged("its header has no end"));
            };
            let line = String::from_utf8_lossy(&rest[..length]);
            offset += length + 1;
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("end_header") => break,
                Some("format") => {
                    check_format(words.next().unwrap_or_default())?;
                    has_format = true;
                }
                Some("comment") => header.comments.push(words.collect::<Vec<_>>().join(" ")),
                Some("element") => header.elements.push(parse_element(&line)?),
                Some("property") => header
                    .elements
                    .last_mut()
                    .ok_or_else(|| FormatError::damaged("its header names a property before any element"))?
                    .properties
                    .push(parse_property(&line)?),
                Some("ply" | "obj_info") | None => {}
                Some(word) => {
                    return Err(FormatError::damaged(format!(
                        "its header has an unknown line '{}'",
                        shown(word)
                    )));
                }
            }
        }
        if !has_format {
            return Err(FormatError::damaged(
                "its header does not name the format of its numbers",
            ));
        }
        header.body = offset;
        Ok(header)
    }

    pub(super) fn has_element(&self, name: &str) -> bool {
        self.elements.iter().any(|element| element.name == name)
    }

    pub(super) fn has_property(&self, element: &str, name: &str) -> bool {
        let mut elements = self.elements.iter().filter(|other| other.name == element);
        elements.any(|element| element.properties.iter().any(|property| property.name == name))
    }

    /// The element of that name and its rows; elements before it are skipped.
    pub(super) fn find<'a>(&self, name: &str, bytes: &'a [u8]) -> Result<Option<(&Element, &'a [u8])>, FormatError> {
        let mut rest = &bytes[self.body..];
        for element in &self.elements {
            let num_bytes = element.num_bytes(rest)?;
            if element.name == name {
                return Ok(Some((element, &rest[..num_bytes])));
            }
            rest = &rest[num_bytes..];
        }
        Ok(None)
    }
}

fn check_format(format: &str) -> Result<(), FormatError> {
    match format {
        "binary_little_endian" => Ok(()),
        "ascii" => Err(FormatError::unsupported("numbers as text (save it as binary PLY)")),
        "binary_big_endian" => Err(FormatError::unsupported(
            "big-endian numbers (save it as little-endian binary PLY)",
        )),
        _ => Err(FormatError::damaged(format!(
            "its header names an unknown format '{}'",
            shown(format)
        ))),
    }
}

fn parse_element(line: &str) -> Result<Element, FormatError> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let broken = || FormatError::damaged(format!("its header has a broken line '{}'", shown(line)));
    let [_, name, count] = *words.as_slice() else {
        return Err(broken());
    };
    Ok(Element {
        name: name.to_owned(),
        count: count.parse().map_err(|_| broken())?,
        properties: Vec::new(),
    })
}

fn parse_property(line: &str) -> Result<Property, FormatError> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let (name, kind) = match *words.as_slice() {
        [_, "list", count, item, name] => {
            let (count, item) = (Scalar::parse(count)?, Scalar::parse(item)?);
            (name, PropertyKind::List { count, item })
        }
        [_, scalar, name] => (name, PropertyKind::Scalar(Scalar::parse(scalar)?)),
        _ => {
            return Err(FormatError::damaged(format!(
                "its header has a broken line '{}'",
                shown(line)
            )));
        }
    };
    Ok(Property {
        name: name.to_owned(),
        kind,
    })
}

/// The beginning of a text from the file, fit to stand in a sentence.
fn shown(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(60).collect()
}
