//! Meshes without vertices that no triangle uses.

use std::borrow::Cow;

use crate::TriMesh;

const UNUSED: u32 = u32::MAX;

/// The mesh with the vertices that its triangles use, in their order of appearance in the mesh. Indices must be in range.
pub(super) fn without_unused_vertices(mesh: &TriMesh) -> Cow<'_, TriMesh> {
    let mut new_index = vec![UNUSED; mesh.positions.len()];
    for &vertex in mesh.triangles.iter().flatten() {
        new_index[vertex as usize] = 0;
    }
    if !new_index.contains(&UNUSED) {
        return Cow::Borrowed(mesh);
    }
    let used_entries = new_index.iter_mut().filter(|index| **index != UNUSED);
    for (num_used, index) in (0..).zip(used_entries) {
        *index = num_used;
    }
    Cow::Owned(TriMesh {
        positions: used(&mesh.positions, &new_index),
        triangles: mesh
            .triangles
            .iter()
            .map(|triangle| triangle.map(|vertex| new_index[vertex as usize]))
            .collect(),
        normals: used(&mesh.normals, &new_index),
        uvs: used(&mesh.uvs, &new_index),
        colors: used(&mesh.colors, &new_index),
        tangents: used(&mesh.tangents, &new_index),
    })
}

/// The used entries of an attribute that is empty or whole.
fn used<T: Copy>(values: &[T], new_index: &[u32]) -> Vec<T> {
    values
        .iter()
        .zip(new_index)
        .filter(|(_, index)| **index != UNUSED)
        .map(|(value, _)| *value)
        .collect()
}
