//! Surfaces and volumes to test and measure with.

use std::collections::HashMap;
use std::f32::consts::TAU;

use bozzetto_asset::{PbrSample, PbrVolume, TriMesh};
use glam::{EulerRot, IVec3, Quat, Vec3};
use rayon::prelude::*;

/// Farthest from the surface that a voxel of a shell is there, in voxels.
const SHELL_REACH: f32 = 1.5;
/// Faces whose voxels are gathered at a time.
const SHELL_CHUNK: usize = 4096;

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
        triangles = in_four(&mut positions, &triangles, |a, b| (a + b).normalize());
    }
    TriMesh::new(positions.into_iter().map(|p| p * radius).collect(), triangles)
}

/// Each face divided in four; `midpoint` says where the new vertex of an edge lies.
fn in_four(positions: &mut Vec<Vec3>, triangles: &[[u32; 3]], midpoint: impl Fn(Vec3, Vec3) -> Vec3) -> Vec<[u32; 3]> {
    let mut midpoints: HashMap<(u32, u32), u32> = HashMap::new();
    let mut between = |a: u32, b: u32| {
        *midpoints.entry((a.min(b), a.max(b))).or_insert_with(|| {
            positions.push(midpoint(positions[a as usize], positions[b as usize]));
            positions.len() as u32 - 1
        })
    };
    triangles
        .iter()
        .flat_map(|&[a, b, c]| {
            let (ab, bc, ca) = (between(a, b), between(b, c), between(c, a));
            [[a, ab, ca], [b, bc, ab], [c, ca, bc], [ab, bc, ca]]
        })
        .collect()
}

/// A mesh moved and scaled about the origin, its longest side 0.9 metres.
pub fn fitted(mesh: &TriMesh) -> TriMesh {
    let (low, high) = mesh.bounds().unwrap_or_default();
    let scale = 0.9 / (high - low).max_element();
    let positions = mesh.positions.iter().map(|&p| (p - (low + high) * 0.5) * scale);
    TriMesh::new(positions.collect(), mesh.triangles.clone())
}

/// A mesh with each face divided in four `levels` times, and smooth bumps of a height in metres all over it.
pub fn bumpy(mesh: &TriMesh, levels: u32, height: f32, frequency: f32) -> TriMesh {
    let (mut positions, mut triangles) = (mesh.positions.clone(), mesh.triangles.clone());
    for _ in 0..levels {
        triangles = in_four(&mut positions, &triangles, Vec3::midpoint);
    }
    let mut mesh = TriMesh::new(positions, triangles);
    mesh.compute_normals();
    for (position, normal) in mesh.positions.iter_mut().zip(std::mem::take(&mut mesh.normals)) {
        *position += normal * height * bump(*position * frequency);
    }
    mesh
}

fn bump(place: Vec3) -> f32 {
    place.x.sin() * place.y.sin() * place.z.sin()
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
        let bump = bump(*position * frequency);
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

/// A mesh turned so that no side that lay along an axis does.
pub fn turned(mut mesh: TriMesh) -> TriMesh {
    let turn = Quat::from_euler(EulerRot::XYZ, 0.41, 0.83, -0.29);
    for position in &mut mesh.positions {
        *position = turn * *position;
    }
    mesh
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

/// The voxels about a surface in the cube from -0.5 to 0.5 metres, each with a sample of its centre: three thick or so.
pub fn shell(mesh: &TriMesh, resolution: u32, sample: &(dyn Fn(Vec3) -> PbrSample + Sync)) -> PbrVolume {
    let mut volume = PbrVolume {
        origin: Vec3::splat(-0.5),
        voxel_size: 1.0 / resolution as f32,
        resolution,
        ..PbrVolume::default()
    };
    let num_faces = mesh.triangles.len();
    let mut cells: Vec<[i32; 3]> = (0..num_faces.div_ceil(SHELL_CHUNK))
        .into_par_iter()
        .flat_map_iter(|chunk| {
            let mut cells = Vec::new();
            for face in chunk * SHELL_CHUNK..num_faces.min((chunk + 1) * SHELL_CHUNK) {
                let corners = mesh
                    .corners(face)
                    .map(|corner| (corner - volume.origin) / volume.voxel_size);
                add_cells_near(corners, resolution as i32, &mut cells);
            }
            cells.sort_unstable();
            cells.dedup();
            cells
        })
        .collect();
    cells.par_sort_unstable();
    cells.dedup();
    volume.coords = cells.into_iter().map(IVec3::from_array).collect();
    volume.samples = (0..volume.coords.len())
        .into_par_iter()
        .map(|index| sample(volume.center(index)))
        .collect();
    volume
}

/// Cells whose centres are close to the plane of a face and to its box; all in units of cells.
fn add_cells_near([a, b, c]: [Vec3; 3], resolution: i32, cells: &mut Vec<[i32; 3]>) {
    let normal = (b - a).cross(c - a).normalize_or_zero();
    let first = |value: Vec3| (value - SHELL_REACH).floor().as_ivec3().max(IVec3::ZERO);
    let last = |value: Vec3| {
        (value + SHELL_REACH)
            .floor()
            .as_ivec3()
            .min(IVec3::splat(resolution - 1))
    };
    let (low, high) = (first(a.min(b).min(c)), last(a.max(b).max(c)));
    for x in low.x..=high.x {
        for y in low.y..=high.y {
            for z in low.z..=high.z {
                let center = IVec3::new(x, y, z).as_vec3() + 0.5;
                if normal.dot(center - a).abs() < SHELL_REACH {
                    cells.push([x, y, z]);
                }
            }
        }
    }
}

/// A colourful, rough and partly metal pattern: fine waves of a length in metres over broad ones.
pub fn waves(point: Vec3, wavelength: f32) -> PbrSample {
    let wave = |phase: f32, direction: Vec3| {
        let fine = (point.dot(direction) * TAU / wavelength + phase).sin();
        let broad = (point.dot(direction) * 7.0 + phase).sin();
        0.5 + 0.3 * fine + 0.15 * broad
    };
    let red = wave(0.0, Vec3::new(1.0, 0.3, 0.2));
    PbrSample {
        base_color: [
            red,
            wave(1.0, Vec3::new(-0.2, 1.0, 0.4)),
            wave(2.0, Vec3::new(0.3, -0.3, 1.0)),
        ],
        alpha: 1.0,
        metallic: f32::from(u8::from(point.x > 0.0)),
        roughness: 0.3 + 0.5 * red,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MeshHealth;

    #[test]
    fn a_shell_holds_its_surface() {
        let ball = noisy_sphere(5, 0.02, 40.0, 0.0);
        let volume = shell(&ball, 64, &|point| waves(point, 0.1));
        assert!(volume.is_consistent());
        let cells: std::collections::HashSet<IVec3> = volume.coords.iter().copied().collect();
        assert_eq!(cells.len(), volume.coords.len(), "no cell is there twice");
        for position in &ball.positions {
            let cell = ((*position - volume.origin) / volume.voxel_size).floor().as_ivec3();
            assert!(cells.contains(&cell), "{position}");
        }
        // Three voxels thick, about a ball of radius 0.45 m.
        let expected = 4.0 * std::f32::consts::PI * (0.45_f32 * 64.0).powi(2) * 2.0 * SHELL_REACH;
        let ratio = volume.coords.len() as f32 / expected;
        assert!((0.9..1.5).contains(&ratio), "{ratio}");
    }

    #[test]
    fn a_bumpy_mesh_is_finer_and_as_closed_as_before() {
        let torus = fitted(&torus(3.0, 1.0, 24, 12));
        let fine = bumpy(&torus, 2, 0.005, 60.0);
        assert_eq!(fine.triangles.len(), 16 * torus.triangles.len());
        let health = MeshHealth::of(&fine);
        assert!(health.is_watertight && health.euler_characteristic == 0, "{health:?}");
        assert!(
            fine.bounds()
                .is_some_and(|(low, high)| (high - low).max_element() < 0.92)
        );
    }
}
