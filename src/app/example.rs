//! The example that comes with the program, inside its file: a program without its folder has it too.

use std::path::Path;

use bozzetto_asset::formats::FormatError;
use bozzetto_asset::{View, files};

/// Name and content of each picture.
static PICTURES: [(&str, &[u8]); 0] = [];

/// Writes the pictures to a folder, where they are not there already, and names them as views.
pub fn unpack(folder: &Path) -> Result<Vec<View>, FormatError> {
    let pictures = PICTURES.iter().map(|(name, bytes)| {
        let path = folder.join(name);
        let is_there = path
            .metadata()
            .is_ok_and(|metadata| metadata.len() == bytes.len() as u64);
        if !is_there {
            files::write_bytes(&path, bytes)?;
        }
        Ok(View::new(path))
    });
    pictures.collect()
}
