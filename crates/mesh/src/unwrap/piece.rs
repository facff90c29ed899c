use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;
use uvunwrap::{Atlas, MeshInput, Options, Packing};

use super::Generate;

/// A part of the surface with vertices of its own.
pub(super) struct Piece {
    pub faces: Vec<u32>,
    /// Of the whole, by place in the piece.
    pub vertices: Vec<u32>,
    positions: Vec<[f32; 3]>,
    indices: Vec<u32>,
    /// Where the vertices lie in charts that are made already.
    uvs: Option<Vec<[f32; 2]>>,
}

impl Piece {
    pub fn new(mesh: &TriMesh, faces: Vec<u32>) -> Self {
        let corners = || faces.iter().flat_map(|&face| mesh.triangles[face as usize]);
        let mut vertices: Vec<u32> = corners().collect();
        vertices.sort_unstable();
        vertices.dedup();
        let local = |vertex: u32| vertices.binary_search(&vertex).map_or(0, |place| place as u32);
        Self {
            positions: vertices
                .iter()
                .map(|&vertex| mesh.positions[vertex as usize].to_array())
                .collect(),
            indices: corners().map(local).collect(),
            vertices,
            faces,
            uvs: None,
        }
    }

    pub fn input(&self) -> MeshInput<'_> {
        MeshInput {
            existing_uvs: self.uvs.as_deref(),
            ..MeshInput::new(&self.positions, &self.indices)
        }
    }

    /// The piece with its charts made, each a patch of its own, whatever the library does: what it fails on is halved until it
    /// does not, down to single faces.
    pub fn flattened(self, options: &Options, generate: Generate) -> Self {
        let options = Options {
            packing: Packing::Fast,
            ..*options
        };
        let atlas = generate(&[self.input()], &options, &|_| true);
        match atlas.and_then(Result::ok) {
            Some(atlas) if atlas.meshes.len() == 1 => self.with_charts_of(&atlas),
            _ if self.faces.len() > 1 => {
                let [low, high] = self.halves();
                let (low, high) = rayon::join(
                    || low.flattened(&options, generate),
                    || high.flattened(&options, generate),
                );
                low.beside(high)
            }
            _ => self.into_one_face(),
        }
    }

    fn with_charts_of(&self, atlas: &Atlas) -> Self {
        let output = &atlas.meshes[0];
        let of = |vertex: &uvunwrap::OutputVertex| vertex.xref as usize;
        let size = [atlas.width as f32, atlas.height as f32];
        let uv = |vertex: &uvunwrap::OutputVertex| {
            // Pages lie beside each other.
            [
                (vertex.uv[0] + vertex.page.unwrap_or(0) as f32) * size[0],
                vertex.uv[1] * size[1],
            ]
        };
        Self {
            faces: self.faces.clone(),
            vertices: output.vertices.iter().map(|vertex| self.vertices[of(vertex)]).collect(),
            positions: output
                .vertices
                .iter()
                .map(|vertex| self.positions[of(vertex)])
                .collect(),
            indices: output.indices.clone(),
            uvs: Some(output.vertices.iter().map(uv).collect()),
        }
    }

    /// A half of the faces on either side, along the longest axis.
    fn halves(&self) -> [Self; 2] {
        let corners = |face: usize| [0, 1, 2].map(|k| Vec3::from(self.positions[self.indices[3 * face + k] as usize]));
        let center = |face: usize| corners(face).iter().sum::<Vec3>();
        let (low, high) = (0..self.faces.len())
            .map(center)
            .fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), center| {
                (low.min(center), high.max(center))
            });
        let axis = (high - low).max_position();
        let mut order: Vec<usize> = (0..self.faces.len()).collect();
        order.par_sort_by(|&a, &b| center(a)[axis].total_cmp(&center(b)[axis]).then(a.cmp(&b)));
        let (first, second) = order.split_at(order.len() / 2);
        [first, second].map(|places| {
            let corners = || places.iter().flat_map(|&place| &self.indices[3 * place..3 * place + 3]);
            let mut used: Vec<u32> = corners().copied().collect();
            used.sort_unstable();
            used.dedup();
            let local = |vertex: &u32| used.binary_search(vertex).map_or(0, |place| place as u32);
            Self {
                faces: places.iter().map(|&place| self.faces[place]).collect(),
                vertices: used.iter().map(|&vertex| self.vertices[vertex as usize]).collect(),
                positions: used.iter().map(|&vertex| self.positions[vertex as usize]).collect(),
                indices: corners().map(local).collect(),
                uvs: None,
            }
        })
    }

    /// Both, with charts that do not touch.
    fn beside(mut self, other: Self) -> Self {
        let base = self.vertices.len() as u32;
        self.faces.extend(other.faces);
        self.vertices.extend(other.vertices);
        self.positions.extend(other.positions);
        self.indices.extend(other.indices.iter().map(|index| base + index));
        let mut uvs = self.uvs.unwrap_or_default();
        let right = uvs.iter().fold(0.0_f32, |right, uv| right.max(uv[0])) + 1.0;
        uvs.extend(other.uvs.unwrap_or_default().iter().map(|uv| [uv[0] + right, uv[1]]));
        self.uvs = Some(uvs);
        self
    }

    /// A single face, laid flat.
    fn into_one_face(mut self) -> Self {
        let corner = |k: usize| Vec3::from(self.positions[self.indices[k] as usize]);
        let uvs = if self.indices.len() == 3 {
            let (along, other) = (corner(1) - corner(0), corner(2) - corner(0));
            let length = along.length();
            let x = if length > 0.0 { other.dot(along) / length } else { 0.0 };
            let y = (other.length_squared() - x * x).max(0.0).sqrt();
            let mut uvs = vec![[0.0; 2]; self.positions.len()];
            for (k, uv) in [[0.0, 0.0], [length, 0.0], [x, y]].into_iter().enumerate() {
                uvs[self.indices[k] as usize] = uv;
            }
            uvs
        } else {
            vec![[0.0; 2]; self.positions.len()]
        };
        self.uvs = Some(uvs);
        self
    }
}
