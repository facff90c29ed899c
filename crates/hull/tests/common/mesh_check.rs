use std::collections::HashMap;

use bozzetto_asset::TriMesh;

/// What is wrong or right with a mesh's topology.
#[expect(clippy::struct_field_names, reason = "all are counts")]
#[derive(Debug, PartialEq, Eq)]
pub struct Topology {
    pub num_open_edges: usize,
    /// Edges of more than two faces, or of two that run the same way.
    pub num_bad_edges: usize,
    /// Vertices whose faces are not one closed fan.
    pub num_bad_vertices: usize,
    pub num_components: usize,
}

impl Topology {
    pub fn is_closed_manifold(&self) -> bool {
        self.num_open_edges == 0 && self.num_bad_edges == 0 && self.num_bad_vertices == 0
    }

    pub fn of(mesh: &TriMesh) -> Self {
        let mut edges: HashMap<(u32, u32), (u32, u32)> = HashMap::new();
        let mut spokes: Vec<Vec<(u32, u32)>> = vec![Vec::new(); mesh.positions.len()];
        let mut parent: Vec<u32> = (0..mesh.positions.len() as u32).collect();
        for &[a, b, c] in &mesh.triangles {
            assert!(a != b && b != c && c != a, "a face uses a vertex twice");
            for (from, to, opposite) in [(a, b, c), (b, c, a), (c, a, b)] {
                let counts = edges.entry((from.min(to), from.max(to))).or_default();
                if from < to {
                    counts.0 += 1;
                } else {
                    counts.1 += 1;
                }
                spokes[from as usize].push((to, opposite));
                let (x, y) = (root(&mut parent, from), root(&mut parent, to));
                parent[x.max(y) as usize] = x.min(y);
            }
        }
        let used = (0..mesh.positions.len() as u32).filter(|&vertex| !spokes[vertex as usize].is_empty());
        let components: std::collections::HashSet<u32> = used.map(|vertex| root(&mut parent, vertex)).collect();
        Self {
            num_open_edges: edges.values().filter(|(forth, back)| forth + back == 1).count(),
            num_bad_edges: edges
                .values()
                .filter(|(forth, back)| forth + back != 1 && (*forth, *back) != (1, 1))
                .count(),
            num_bad_vertices: spokes.iter().filter(|fan| !is_closed_fan(fan)).count(),
            num_components: components.len(),
        }
    }
}

fn root(parent: &mut [u32], mut vertex: u32) -> u32 {
    while parent[vertex as usize] != vertex {
        parent[vertex as usize] = parent[parent[vertex as usize] as usize];
        vertex = parent[vertex as usize];
    }
    vertex
}

/// Whether following each spoke to the next one passes all of them once.
fn is_closed_fan(fan: &[(u32, u32)]) -> bool {
    let next: HashMap<u32, u32> = fan.iter().copied().collect();
    if fan.is_empty() || next.len() != fan.len() {
        return false;
    }
    let start = fan[0].0;
    let mut at = start;
    for _ in 0..fan.len() {
        let Some(&after) = next.get(&at) else { return false };
        at = after;
        if at == start {
            break;
        }
    }
    let mut count = 1;
    let mut at = next[&start];
    while at != start && count <= fan.len() {
        at = next[&at];
        count += 1;
    }
    at == start && count == fan.len()
}
