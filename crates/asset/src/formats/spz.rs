//! Gaussian splats as SPZ files: about a tenth of the PLY's size.
//!
//! Versions 2 and 3 (gzip) are read, version 3 is written: version 4 (zstd) is younger than most readers. Layout after
//! <https://github.com/nianticlabs/spz>: a 16-byte header, then all positions (24-bit fixed point), opacities, colours,
//! log scales (8 bits each), rotations (version 2: x, y, z in 8 bits; version 3: the three smallest components in 10
//! bits) and higher harmonics (8 bits, coefficient-major, RGB within a coefficient). Its frame, right-up-back, is the
//! model frame: nothing is turned.
//!
//! What quantisation costs, written by us: positions 2^-17 m for objects within 64 m, log scales 1/32 within
//! [-10, 5.9], opacity 1/510, first colour coefficient 0.0131 within [-3.3, 3.3], degree 1 0.036 and degrees 2 and 3
//! 0.067 within [-1, 1) (0.07 and 0.13 at its ends), rotations 0.0014 a component.

use std::f32::consts::FRAC_1_SQRT_2;
use std::io::{Read as _, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use glam::{Quat, Vec3};

use super::splat_frame::check_writable;
use super::{FormatError, read_file};
use crate::{GaussianSplats, SplatFilter, files};

const MAGIC: &[u8; 4] = b"NGSP";
const HEADER_BYTES: usize = 16;
const WRITTEN_VERSION: u32 = 3;
/// Flag of splats trained with an anti-aliasing filter.
const FLAG_ANTIALIASED: u8 = 1;
/// More than any object takes; keeps a small file from claiming all memory.
const MAX_SPLATS: u32 = 10_000_000;
/// What deflate can shrink at most, rounded up: a header that claims more than this is lying.
const MAX_DEFLATE_RATIO: u64 = 1040;
/// Finest steps that positions are written with: 2^-16 m.
const MAX_FRACTIONAL_BITS: u8 = 16;
/// Colours are stored as `0.5 + 0.15 * coefficient`, wider than what shows, because harmonics may bring them back.
const COLOR_SCALE: f32 = 0.15;
/// Steps of a magnitude in a version 3 rotation.
const ROTATION_STEPS: f32 = 511.0;
/// Width of a quantisation bucket of degree 1 (5 bits kept) and of degrees 2 and 3 (4 bits kept), as upstream's.
const SH_BUCKETS: [i32; 2] = [8, 16];

/// Reads a file.
pub fn read(path: &Path) -> Result<GaussianSplats, FormatError> {
    decode(&read_file(path)?).map_err(|error| error.at(path))
}

/// Reads from memory; see [`read`].
pub fn decode(bytes: &[u8]) -> Result<GaussianSplats, FormatError> {
    if bytes.starts_with(MAGIC) {
        return Err(FormatError::unsupported(
            "SPZ version 4 or later (save it as version 3)",
        ));
    }
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(FormatError::not_recognized("SPZ", "it is not compressed with gzip"));
    }
    let mut stream = GzDecoder::new(bytes);
    let header = Header::parse(&inflate(&mut stream, HEADER_BYTES, "header")?)?;
    let needed = header.body_bytes();
    let most = (bytes.len() as u64).saturating_mul(MAX_DEFLATE_RATIO);
    if needed as u64 > most {
        return Err(FormatError::truncated(
            format!("table of {} splats", header.num_splats),
            needed as u64,
            most as usize,
        ));
    }
    let body = inflate(&mut stream, needed, "table of splats")?;
    Ok(unpack(&header, &body))
}

/// Writes a file.
pub fn write(path: &Path, splats: &GaussianSplats) -> Result<(), FormatError> {
    files::write_bytes(path, &encode(splats).map_err(|error| error.at(path))?)
}

/// Writes to memory.
pub fn encode(splats: &GaussianSplats) -> Result<Vec<u8>, FormatError> {
    check_writable(splats)?;
    let num_splats = u32::try_from(splats.len())
        .ok()
        .filter(|count| *count <= MAX_SPLATS)
        .ok_or_else(|| {
            FormatError::unwritable(format!(
                "{} splats are more than the {MAX_SPLATS} an SPZ holds",
                splats.len()
            ))
        })?;
    let fractional_bits = fractional_bits(&splats.positions)?;
    let mut raw = Vec::with_capacity(HEADER_BYTES + splats.len() * 65);
    raw.extend(MAGIC);
    raw.extend(WRITTEN_VERSION.to_le_bytes());
    raw.extend(num_splats.to_le_bytes());
    let flags = if splats.filter == SplatFilter::Mip {
        FLAG_ANTIALIASED
    } else {
        0
    };
    raw.extend([splats.sh_degree, fractional_bits, flags, 0]);
    pack(splats, fractional_bits, &mut raw);
    let gzip = || -> std::io::Result<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::with_capacity(raw.len()), Compression::default());
        encoder.write_all(&raw)?;
        encoder.finish()
    };
    gzip().map_err(|error| FormatError::unwritable(format!("it could not be compressed ({error})")))
}

#[derive(Clone, Copy, Debug)]
struct Header {
    version: u32,
    num_splats: usize,
    sh_degree: u8,
    fractional_bits: u8,
    filter: SplatFilter,
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|index| bytes[at + index]));
        if !bytes.starts_with(MAGIC) {
            return Err(FormatError::not_recognized("SPZ", "its first word is another"));
        }
        let [version, num_splats] = [word(4), word(8)];
        let (sh_degree, fractional_bits, flags) = (bytes[12], bytes[13], bytes[14]);
        if !(2..=3).contains(&version) {
            return Err(FormatError::unsupported(format!(
                "SPZ version {version} (save it as version 3)"
            )));
        }
        if num_splats > MAX_SPLATS {
            return Err(FormatError::TooLarge {
                path: std::path::PathBuf::new(),
                what: "splats",
                claimed: u64::from(num_splats),
                limit: u64::from(MAX_SPLATS),
            });
        }
        if sh_degree > 3 {
            return Err(FormatError::unsupported(format!(
                "spherical harmonics of degree {sh_degree}"
            )));
        }
        if fractional_bits > 23 {
            return Err(FormatError::damaged(format!(
                "its positions have {fractional_bits} fractional bits of 23"
            )));
        }
        Ok(Self {
            version,
            num_splats: num_splats as usize,
            sh_degree,
            fractional_bits,
            filter: if flags & FLAG_ANTIALIASED == 0 {
                SplatFilter::Dilate
            } else {
                SplatFilter::Mip
            },
        })
    }

    fn rotation_bytes(&self) -> usize {
        if self.version == 2 { 3 } else { 4 }
    }

    fn num_rest(&self) -> usize {
        (self.sh_degree as usize + 1).pow(2) - 1
    }

    /// Bytes of all tables: at most 10 million times 65, so that nothing overflows.
    fn body_bytes(&self) -> usize {
        self.num_splats * (9 + 1 + 3 + 3 + self.rotation_bytes() + 3 * self.num_rest())
    }
}

/// Exactly `needed` bytes of the stream. Memory grows with what really comes out.
fn inflate(stream: &mut GzDecoder<&[u8]>, needed: usize, what: &str) -> Result<Vec<u8>, FormatError> {
    let mut bytes = Vec::new();
    stream
        .take(needed as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| FormatError::damaged(format!("its {what} does not decompress ({error})")))?;
    if bytes.len() < needed {
        return Err(FormatError::truncated(what, needed as u64, bytes.len()));
    }
    Ok(bytes)
}

fn unpack(header: &Header, body: &[u8]) -> GaussianSplats {
    let count = header.num_splats;
    let (positions, rest) = body.split_at(9 * count);
    let (opacities, rest) = rest.split_at(count);
    let (colors, rest) = rest.split_at(3 * count);
    let (scales, rest) = rest.split_at(3 * count);
    let (rotations, harmonics) = rest.split_at(header.rotation_bytes() * count);
    let step = f32::from(header.fractional_bits).exp2().recip();
    let rotation = if header.version == 2 {
        rotation_from_first_three
    } else {
        rotation_from_smallest_three
    };

    let num_rest = header.num_rest();
    let mut sh = Vec::with_capacity(count * (num_rest + 1));
    for (index, color) in colors.chunks_exact(3).enumerate() {
        sh.push(std::array::from_fn(|c| {
            (f32::from(color[c]) / 255.0 - 0.5) / COLOR_SCALE
        }));
        let higher = &harmonics[index * num_rest * 3..(index + 1) * num_rest * 3];
        sh.extend(
            higher
                .chunks_exact(3)
                .map(|rgb| [rgb[0], rgb[1], rgb[2]].map(|v| (f32::from(v) - 128.0) / 128.0)),
        );
    }
    GaussianSplats {
        positions: positions
            .chunks_exact(9)
            .map(|packed| fixed_point(packed) * step)
            .collect(),
        log_scales: scales
            .chunks_exact(3)
            .map(|packed| Vec3::from_array([packed[0], packed[1], packed[2]].map(f32::from)) / 16.0 - 10.0)
            .collect(),
        rotations: rotations.chunks_exact(header.rotation_bytes()).map(rotation).collect(),
        opacities: opacities.iter().map(|&value| f32::from(value) / 255.0).collect(),
        sh_degree: header.sh_degree,
        sh,
        filter: header.filter,
    }
}

fn pack(splats: &GaussianSplats, fractional_bits: u8, raw: &mut Vec<u8>) {
    let steps = f32::from(fractional_bits).exp2();
    for value in splats
        .positions
        .iter()
        .flat_map(|position| (*position * steps).to_array())
    {
        raw.extend(&(value.round() as i32).to_le_bytes()[..3]);
    }
    raw.extend(splats.opacities.iter().map(|&opacity| byte(opacity * 255.0)));
    let num_coefficients = splats.num_sh_coefficients();
    let splat_sh = || splats.sh.chunks_exact(num_coefficients);
    raw.extend(splat_sh().flat_map(|sh| sh[0].map(|v| byte(v * (COLOR_SCALE * 255.0) + 127.5))));
    raw.extend(
        splats
            .log_scales
            .iter()
            .flat_map(|scale| ((*scale + 10.0) * 16.0).to_array().map(byte)),
    );
    for &rotation in &splats.rotations {
        raw.extend(smallest_three(rotation));
    }
    for sh in splat_sh() {
        for (index, coefficient) in sh.iter().enumerate().skip(1) {
            let bucket = SH_BUCKETS[usize::from(index > 3)];
            raw.extend(coefficient.map(|value| quantized_sh(value, bucket)));
        }
    }
}

/// As many fractional bits as leave every position within the 24 bits.
fn fractional_bits(positions: &[Vec3]) -> Result<u8, FormatError> {
    let largest = positions
        .iter()
        .fold(0.0_f32, |largest, position| largest.max(position.abs().max_element()));
    (0..=MAX_FRACTIONAL_BITS)
        .rev()
        .find(|&bits| largest * f32::from(bits).exp2() <= 8_388_607.0)
        .ok_or_else(|| FormatError::unwritable(format!("a splat lies {largest} m away, farther than an SPZ reaches")))
}

fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// 8 bits, rounded to the centre of a bucket so that the file compresses; zero stays zero.
fn quantized_sh(value: f32, bucket: i32) -> u8 {
    let value = (value * 128.0).round() as i32;
    let in_buckets = value.saturating_add(128).saturating_add(bucket / 2).div_euclid(bucket);
    in_buckets.saturating_mul(bucket).clamp(0, 255) as u8
}

fn fixed_point(packed: &[u8]) -> Vec3 {
    let component = |at: usize| {
        // The three bytes fill the upper part of the word, so that the shift brings the sign down.
        let word = i32::from_le_bytes([0, packed[at], packed[at + 1], packed[at + 2]]);
        (word >> 8) as f32
    };
    Vec3::new(component(0), component(3), component(6))
}

fn rotation_from_first_three(packed: &[u8]) -> Quat {
    let [x, y, z] = [packed[0], packed[1], packed[2]].map(|value| f32::from(value) / 127.5 - 1.0);
    let w = (1.0 - (x * x + y * y + z * z)).max(0.0).sqrt();
    Quat::from_xyzw(x, y, z, w).normalize()
}

/// Two bits name the largest of x, y, z, w; the others follow in that order as a sign and nine bits of `sqrt(2) * value`.
fn rotation_from_smallest_three(packed: &[u8]) -> Quat {
    let mut word = u32::from_le_bytes([packed[0], packed[1], packed[2], packed[3]]);
    let largest = (word >> 30) as usize;
    let mut components = [0.0_f32; 4];
    let mut sum_of_squares = 0.0;
    for index in (0..4).rev().filter(|&index| index != largest) {
        let magnitude = (word & 511) as f32 / ROTATION_STEPS * FRAC_1_SQRT_2;
        components[index] = if word & 512 == 0 { magnitude } else { -magnitude };
        sum_of_squares += magnitude * magnitude;
        word >>= 10;
    }
    components[largest] = (1.0 - sum_of_squares).max(0.0).sqrt();
    Quat::from_array(components).normalize()
}

fn smallest_three(rotation: Quat) -> [u8; 4] {
    let components = if rotation.length_squared() > 0.0 {
        rotation.normalize()
    } else {
        Quat::IDENTITY
    }
    .to_array();
    let largest = (1..4).fold(0, |largest, index| {
        if components[index].abs() > components[largest].abs() {
            index
        } else {
            largest
        }
    });
    // A quaternion and its negative are the same rotation: the largest component is made positive and not stored.
    let is_flipped = components[largest] < 0.0;
    let mut word = largest as u32;
    for index in (0..4).filter(|&index| index != largest) {
        let sign = u32::from((components[index] < 0.0) != is_flipped);
        let magnitude = (components[index].abs() / FRAC_1_SQRT_2 * ROTATION_STEPS + 0.5).min(ROTATION_STEPS) as u32;
        word = (word << 10) | (sign << 9) | magnitude;
    }
    word.to_le_bytes()
}

#[cfg(test)]
#[path = "spz_tests.rs"]
mod tests;
