use bozzetto_asset::TriMesh;
use glam::Vec3;

/// The mesh without connected parts whose volume is less than a share of the largest part's.
pub(crate) fn without_small_parts(mesh: TriMesh, smallest_share: f32) -> TriMesh {
    let part_of_vertex = connected_parts(&mesh);
    let mut volumes = vec![0.0f64; mesh.positions.len()];
    for (index, triangle) in mesh.triangles.iter().enumerate() {
        let [a, b, c] = mesh.corners(index);
        volumes[part_of_vertex[triangle[0] as usize] as usize] += f64::from(a.dot(b.cross(c))) / 6.0;
    }
    let largest = volumes.iter().fold(0.0f64, |largest, volume| largest.max(*volume));
    // Inner walls of a cavity have negative volume; nobody sees them.
    let is_kept = |vertex: u32| {
        let volume = volumes[part_of_vertex[vertex as usize] as usize];
        volume > 0.0 && volume >= largest * f64::from(smallest_share)
    };
    if (0..mesh.positions.len() as u32).all(is_kept) {
        return mesh;
    }
    let mut new_index = vec![u32::MAX; mesh.positions.len()];
    let mut kept = TriMesh::default();
    for vertex in (0..mesh.positions.len() as u32).filter(|vertex| is_kept(*vertex)) {
        new_index[vertex as usize] = kept.positions.len() as u32;
        kept.positions.push(mesh.positions[vertex as usize]);
        kept.normals
            .push(mesh.normals.get(vertex as usize).copied().unwrap_or(Vec3::Y));
    }
    kept.triangles = mesh
        .triangles
        .iter()
        .filter(|triangle| is_kept(triangle[0]))
        .map(|triangle| triangle.map(|vertex| new_index[vertex as usize]))
        .collect();
    kept
}

/// For each vertex the least vertex it is connected with (union-find with path halving).
fn connected_parts(mesh: &TriMesh) -> Vec<u32> {
    let mut parent: Vec<u32> = (0..mesh.positions.len() as u32).collect();
    let find = |parent: &mut Vec<u32>, mut vertex: u32| {
        while parent[vertex as usize] != vertex {
            let above = parent[parent[vertex as usize] as usize];
            parent[vertex as usize] = above;
            vertex = above;
        }
        vertex
    };
    for &[a, b, c] in &mesh.triangles {
        for (from, to) in [(a, b), (b, c)] {
            let (from, to) = (find(&mut parent, from), find(&mut parent, to));
            let (low, high) = (from.min(to), from.max(to));
            parent[high as usize] = low;
        }
    }
    (0..mesh.positions.len() as u32)
        .map(|vertex| find(&mut parent, vertex))
        .collect()
}
