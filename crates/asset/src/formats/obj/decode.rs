use std::collections::HashMap;

use glam::{Vec2, Vec3};

use crate::TriMesh;
use crate::color::linear_from_srgb;
use crate::formats::FormatError;

/// What the lines of a file have named so far.
#[derive(Default)]
struct Reader {
    positions: Vec<Vec3>,
    colors: Vec<Vec3>,
    uvs: Vec<Vec2>,
    normals: Vec<Vec3>,
    /// Vertex of the mesh for each combination of position, UV and normal that a corner names.
    vertices: HashMap<Corner, u32>,
    corners: Vec<Corner>,
    triangles: Vec<[u32; 3]>,
}

/// Places in the file's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Corner {
    position: u32,
    uv: Option<u32>,
    normal: Option<u32>,
}

pub(super) fn decode(bytes: &[u8]) -> Result<TriMesh, FormatError> {
    let mut reader = Reader::default();
    let mut pending = Vec::new();
    let mut lines = bytes.split(|&byte| byte == b'\n').enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let line = line.trim_ascii_end();
        let is_comment = pending.is_empty() && line.trim_ascii_start().starts_with(b"#");
        // A backslash at its end continues a line on the next, but a comment may end in the path of a folder.
        let continued = line.strip_suffix(b"\\").filter(|_| !is_comment);
        let result = if let Some(part) = continued {
            pending.extend_from_slice(part);
            pending.push(b' ');
            if lines.peek().is_some() {
                continue;
            }
            reader.line(&pending)
        } else if pending.is_empty() {
            reader.line(line)
        } else {
            pending.extend_from_slice(line);
            reader.line(&std::mem::take(&mut pending))
        };
        result.map_err(|reason| FormatError::damaged(format!("line {} {reason}", index + 1)))?;
    }
    reader.into_mesh()
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        match words.next() {
            Some(b"v") => {
                let (values, count) = numbers::<6>(words)?;
                // Three numbers, four with a weight, six with a colour.
                let [x, y, z, red, green, blue] = values;
                self.positions.push(at_least(3, count, Vec3::new(x, y, z))?);
                if count >= 6 {
                    let color = [red, green, blue].map(|channel| linear_from_srgb(channel.clamp(0.0, 1.0)));
                    self.colors.resize(self.positions.len() - 1, Vec3::ONE);
                    self.colors.push(color.into());
                }
            }
            Some(b"vt") => {
                let ([u, v], count) = numbers::<2>(words)?;
                self.uvs.push(at_least(1, count, Vec2::new(u, 1.0 - v))?);
            }
            Some(b"vn") => {
                let (values, count) = numbers::<3>(words)?;
                self.normals
                    .push(at_least(3, count, Vec3::from(values))?.normalize_or(Vec3::Y));
            }
            Some(b"f") => self.face(words)?,
            _ => {}
        }
        Ok(())
    }

    fn face<'a>(&mut self, words: impl Iterator<Item = &'a [u8]>) -> Result<(), String> {
        let mut fan: [Option<u32>; 2] = [None; 2];
        let mut num_corners = 0;
        for word in words {
            let vertex = self.vertex(word)?;
            if let [Some(first), Some(previous)] = fan {
                self.triangles.push([first, previous, vertex]);
            }
            fan = [fan[0].or(Some(vertex)), fan[0].map(|_| vertex)];
            num_corners += 1;
        }
        if num_corners < 3 {
            return Err(format!("describes a face with {num_corners} corners"));
        }
        Ok(())
    }

    fn vertex(&mut self, word: &[u8]) -> Result<u32, String> {
        let mut parts = word.split(|&byte| byte == b'/');
        let corner = Corner {
            position: place(parts.next().unwrap_or_default(), self.positions.len())?,
            uv: optional_place(parts.next(), self.uvs.len())?,
            normal: optional_place(parts.next(), self.normals.len())?,
        };
        let next = self.corners.len() as u32;
        let vertex = *self.vertices.entry(corner).or_insert(next);
        if vertex == next {
            self.corners.push(corner);
        }
        Ok(vertex)
    }

    fn into_mesh(mut self) -> Result<TriMesh, FormatError> {
        if self.triangles.is_empty() {
            return Err(FormatError::damaged("it holds no faces"));
        }
        if !self.colors.is_empty() {
            self.colors.resize(self.positions.len(), Vec3::ONE);
        }
        let position_of = |corner: &Corner| corner.position as usize;
        let colors = if self.colors.is_empty() {
            &[]
        } else {
            self.corners.as_slice()
        };
        Ok(TriMesh {
            positions: self
                .corners
                .iter()
                .map(|corner| self.positions[position_of(corner)])
                .collect(),
            triangles: self.triangles,
            uvs: attribute(&self.corners, |corner| Some(self.uvs[corner.uv? as usize])),
            normals: attribute(&self.corners, |corner| Some(self.normals[corner.normal? as usize])),
            colors: colors.iter().map(|corner| self.colors[position_of(corner)]).collect(),
            tangents: Vec::new(),
        })
    }
}

/// One entry a corner where every corner has one, else none.
fn attribute<T>(corners: &[Corner], entry: impl Fn(&Corner) -> Option<T>) -> Vec<T> {
    corners
        .iter()
        .map(entry)
        .collect::<Option<Vec<T>>>()
        .unwrap_or_default()
}

/// The first `N` numbers of a line, zero where it has fewer, and how many there were.
fn numbers<'a, const N: usize>(words: impl Iterator<Item = &'a [u8]>) -> Result<([f32; N], usize), String> {
    let mut values = [0.0; N];
    let mut count = 0;
    for (slot, word) in values.iter_mut().zip(words) {
        let text = std::str::from_utf8(word).unwrap_or_default();
        *slot = text
            .parse()
            .ok()
            .filter(|value: &f32| value.is_finite())
            .ok_or_else(|| format!("has '{}' where a finite number belongs", shown(word)))?;
        count += 1;
    }
    Ok((values, count))
}

fn at_least<T>(needed: usize, count: usize, value: T) -> Result<T, String> {
    if count < needed {
        return Err(format!("has {count} numbers of {needed}"));
    }
    Ok(value)
}

fn optional_place(part: Option<&[u8]>, count: usize) -> Result<Option<u32>, String> {
    part.filter(|part| !part.is_empty())
        .map(|part| place(part, count))
        .transpose()
}

/// An index into a list of `count`: from 1 upwards, or from -1 downwards for the newest.
fn place(part: &[u8], count: usize) -> Result<u32, String> {
    let text = std::str::from_utf8(part).unwrap_or_default();
    let number: i64 = text
        .parse()
        .map_err(|_| format!("has '{}' where an index belongs", shown(part)))?;
    let place = if number < 0 { count as i64 + number } else { number - 1 };
    u32::try_from(place)
        .ok()
        .filter(|place| (*place as usize) < count)
        .ok_or_else(|| format!("names entry {number} of a list of {count}"))
}

fn shown(word: &[u8]) -> String {
    String::from_utf8_lossy(word)
        .chars()
        .filter(|c| !c.is_control())
        .take(40)
        .collect()
}
