//! Analytic surfaces to test and measure with.

use std::collections::HashMap;
use std::f32::consts::TAU;

use bozzetto_asset::TriMesh;
use glam::Vec3;

/// A closed sphere about the origin: an icosahedron divided `levels` times, `20 * 4^levels` faces.
pub fn icosphere(radius: f32, levels: u32) -> TriMesh {
    let phi = f32::midpoint(1.0, 5.0_f32.sqrt());
    let mut positions: Vec<Vec3> = [
        (-1.0, phi, 0.0),
        (1.0, phi, 0.0),
        (-1.0, -phi, 0.0),
        (1.0, -phi, 0.0),
        (0.0, -1.0, phi),
        (0.0, 1.0, phi),
        (0.0, -1.0, -phi),
        (0.0, 1.0, -phi),
        (phi, 0.0, -1.0),
        (phi, 0.0, 1.0),
        (-phi, 0.0, -1.0),
        (-phi, 0.0, 1.0),
    ]
    .map(|(x, y, z)| Vec3::new(x, y, z).normalize())
    .to_vec();
    let mut triangles: Vec<[u32; 3]> = vec![
        [0, 11, 5],
        [0, 5, 1],
        [0, 1, 7],
        [0, 7, 10],
        [0, 10, 11],
        [1, 5, 9],
        [5, 11, 4],
        [11, 10, 2],
        [10, 7, 6],
        [7, 1, 8],
        [3, 9, 4],
        [3, 4, 2],
        [3, 2, 6],
        [3, 6, 8],
        [3, 8, 9],
        [4, 9, 5],
        [2, 4, 11],
        [6, 2, 10],
        [8, 6, 7],
        [9, 8, 1],
    ];
    for _ in 0..levels {
        let mut midpoints: HashMap<(u32, u32), u32> = HashMap::new();
        let mut midpoint = |a: u32, b: u32, positions: &mut Vec<Vec3>| {
            *midpoints.entry((a.min(b), a.max(b))).or_insert_with(|| {
                positions.push((positions[a as usize] + positions[b as usize]).normalize());
                positions.len() as u32 - 1
            })
        };
        triangles = triangles
            .iter()
            .flat_map(|&[a, b, c]| {
                let ab = midpoint(a, b, &mut positions);
                let bc = midpoint(b, c, &mut positions);
                let ca = midpoint(c, a, &mut positions);
                [[a, ab, ca], [b, bc, ab], [c, ca, bc], [ab, bc, ca]]
            })
            .collect();
    }
    TriMesh::new(positions.into_iter().map(|p| p * radius).collect(), triangles)
}

/// A closed torus about +Y with `around * along * 2` faces.
pub fn torus(major: f32, minor: f32, around: u32, along: u32) -> TriMesh {
    let mut positions = Vec::new();
    let mut triangles = Vec::new();
    for i in 0..around {
        let (sin_u, cos_u) = (i as f32 / around as f32 * TAU).sin_cos();
        for j in 0..along {
            let (sin_v, cos_v) = (j as f32 / along as f32 * TAU).sin_cos();
            let ring = major + minor * cos_v;
            positions.push(Vec3::new(ring * sin_u, minor * sin_v, ring * cos_u));
            let at = |i: u32, j: u32| (i % around) * along + j % along;
            let (a, b, c, d) = (at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1));
            triangles.extend([[a, b, c], [a, c, d]]);
        }
    }
    TriMesh::new(positions, triangles)
}

/// An icosphere with a smooth bump of the given frequency along the radius and a little noise a vertex.
pub fn noisy_sphere(levels: u32, amplitude: f32, frequency: f32, noise: f32) -> TriMesh {
    let mut mesh = icosphere(0.45, levels);
    for (index, position) in mesh.positions.iter_mut().enumerate() {
        let bump = (position.x * frequency).sin() * (position.y * frequency).sin() * (position.z * frequency).sin();
        let hash = (index as u32)
            .wrapping_mul(0x9E37_79B9)
            .rotate_left(13)
            .wrapping_mul(0x85EB_CA6B);
        let random = (hash >> 8) as f32 / (1 << 24) as f32 - 0.5;
        *position *= 1.0 + amplitude * bump + noise * random;
    }
    mesh
}

/// A cube of edge 1 about a centre, 12 faces.
pub fn cube(center: Vec3) -> TriMesh {
    let positions = (0..8)
        .map(|i| center + Vec3::new((i & 1) as f32, ((i >> 1) & 1) as f32, (i >> 2) as f32) - 0.5)
        .collect();
    let quads = [
        [0, 2, 3, 1],
        [4, 5, 7, 6],
        [0, 1, 5, 4],
        [2, 6, 7, 3],
        [0, 4, 6, 2],
        [1, 3, 7, 5],
    ];
    let triangles = quads.iter().flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]]).collect();
    TriMesh::new(positions, triangles)
}

/// A closed toothed wheel about +Y: straight flanks, flat tips and roots, every edge sharp.
pub fn gear(num_teeth: u32, root: f32, tip: f32, half_height: f32) -> TriMesh {
    // Within a tooth's share of the circle: start of the root, foot, two ends of the tip.
    let outline: Vec<Vec3> = (0..num_teeth * 4)
        .map(|i| {
            let share = [0.0, 0.4, 0.52, 0.88][i as usize % 4];
            let (sin, cos) = (((i / 4) as f32 + share) / num_teeth as f32 * TAU).sin_cos();
            let radius = if i % 4 < 2 { root } else { tip };
            Vec3::new(radius * sin, 0.0, radius * cos)
        })
        .collect();
    let count = outline.len() as u32;
    let mut positions: Vec<Vec3> = outline.iter().map(|&point| point + Vec3::Y * half_height).collect();
    positions.extend(outline.iter().map(|&point| point - Vec3::Y * half_height));
    positions.extend([Vec3::Y * half_height, Vec3::NEG_Y * half_height]);
    let triangles = (0..count)
        .flat_map(|i| {
            let next = (i + 1) % count;
            let (below, next_below) = (i + count, next + count);
            [
                [i, next, 2 * count],
                [next_below, below, 2 * count + 1],
                [i, below, next_below],
                [i, next_below, next],
            ]
        })
        .collect();
    TriMesh::new(positions, triangles)
}

/// Both meshes as one, sharing nothing.
pub fn together(mut first: TriMesh, second: &TriMesh) -> TriMesh {
    let offset = first.positions.len() as u32;
    first.positions.extend(&second.positions);
    first
        .triangles
        .extend(second.triangles.iter().map(|triangle| triangle.map(|v| v + offset)));
    TriMesh::new(first.positions, first.triangles)
}
