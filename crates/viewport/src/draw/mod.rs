//! One file a primitive, beside its shader of the same name.

pub mod composite;
pub mod copy;
pub mod depth_resolve;
pub mod environment;
pub mod ground;
pub mod lines;
pub mod mesh;
pub mod mips;
pub mod photos;
pub mod present;
pub mod radix_sort;
pub mod shared;
pub mod splat_batches;
pub mod splat_binning;
pub mod splat_compact;
pub mod splat_project;
pub mod splat_quads;
pub mod splat_tiles;
pub mod tile_ranges;
pub mod voxels;
pub mod wireframe;

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};

    use super::composite::{CompositeDraw, TileCompositeDraw};
    use super::environment::Level;
    use super::radix_sort::SortPath;
    use super::shared::with_shared;
    use super::splat_batches::SplatBatchesDraw;
    use super::splat_binning::SplatBinningDraw;
    use super::splat_compact::SplatCompactDraw;
    use super::splat_project::SplatProjectDraw;
    use super::splat_quads::SplatQuadsDraw;
    use super::splat_tiles::SplatTilesDraw;
    use super::tile_ranges::TileRangesDraw;
    use super::voxels::VoxelsDraw;
    use crate::frame_uniforms::FrameUniforms;
    use crate::gpu::{with_frame, with_frame_and_light};
    use crate::packing::SplatGeometry;
    use crate::scene::mesh_part::MaterialUniforms;
    use crate::scene::splat_room::ELLIPSE_BYTES;
    use crate::tile_frame::TileGridUniforms;

    /// Files that are only parts of shaders.
    const PARTS: [&str; 13] = [
        "args.wgsl",
        "composite.wgsl",
        "ellipse.wgsl",
        "frame.wgsl",
        "inspection.wgsl",
        "light.wgsl",
        "radix_sort.wgsl",
        "radix_sort_narrow.wgsl",
        "radix_sort_wide.wgsl",
        "scan.wgsl",
        "tile_grid.wgsl",
        "tile_pixels.wgsl",
        "tone_mapping.wgsl",
    ];

    fn with_subgroups(max_subgroups: u32, is_wide: bool) -> String {
        SortPath::Subgroups { max_subgroups, is_wide }.source()
    }

    #[test]
    fn every_shader_is_valid() {
        let shaders = [
            ("composite_layers", CompositeDraw::source()),
            ("composite_tiles", TileCompositeDraw::source()),
            ("copy", include_str!("copy.wgsl").to_owned()),
            ("depth_resolve", include_str!("depth_resolve.wgsl").to_owned()),
            ("environment", include_str!("environment.wgsl").to_owned()),
            ("ground", with_frame(include_str!("ground.wgsl"))),
            ("lines", with_frame(include_str!("lines.wgsl"))),
            ("mesh", with_frame_and_light(include_str!("mesh.wgsl"))),
            ("mips", include_str!("mips.wgsl").to_owned()),
            ("photos", with_frame(include_str!("photos.wgsl"))),
            ("present", include_str!("present.wgsl").to_owned()),
            ("radix_sort_portable", SortPath::Portable.source()),
            ("radix_sort_subgroups", with_subgroups(8, false)),
            ("splat_batches", SplatBatchesDraw::source()),
            ("splat_binning", SplatBinningDraw::source()),
            ("splat_compact", SplatCompactDraw::source()),
            ("splat_project", SplatProjectDraw::source()),
            ("splat_quads", SplatQuadsDraw::source()),
            ("splat_tiles", SplatTilesDraw::source()),
            ("tile_ranges", TileRangesDraw::source()),
            ("voxels", VoxelsDraw::source()),
            ("wireframe", with_frame(include_str!("wireframe.wgsl"))),
        ];
        let wide = [("radix_sort_subgroups, wide", with_subgroups(4, true))];
        for (name, source) in shaders.iter().chain(&wide) {
            let source = &with_shared(source);
            let module = naga::front::wgsl::parse_str(source)
                .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(source)));
            Validator::new(
                ValidationFlags::all(),
                Capabilities::SHADER_FLOAT16_IN_FLOAT32 | Capabilities::SUBGROUP,
            )
            .subgroup_stages(ShaderStages::COMPUTE)
            .subgroup_operations(SubgroupOperationSet::all())
            .validate(&module)
            .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(source)));
        }
        // A shader file that nobody validates would slip through.
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/draw")).expect("a folder");
        let num_files = files
            .filter(|file| {
                file.as_ref()
                    .is_ok_and(|file| file.path().extension() == Some("wgsl".as_ref()))
            })
            .count();
        assert_eq!(num_files, shaders.len() + PARTS.len());
    }

    /// Bytes of a struct of a shader, as its arrays are strided.
    fn size_in(source: &str, name: &str) -> usize {
        let module = naga::front::wgsl::parse_str(&with_shared(source)).expect("valid");
        let size = module.types.iter().find_map(|(_, ty)| match &ty.inner {
            naga::TypeInner::Struct { span, .. } if ty.name.as_deref() == Some(name) => Some(*span),
            _ => None,
        });
        size.unwrap_or_else(|| panic!("there is no {name}")) as usize
    }

    #[test]
    fn structs_are_as_large_here_as_in_the_shaders() {
        let mesh = with_frame_and_light(include_str!("mesh.wgsl"));
        let environment = include_str!("environment.wgsl");
        let (project, binning) = (SplatProjectDraw::source(), SplatBinningDraw::source());
        assert_eq!(size_in(&mesh, "Frame"), size_of::<FrameUniforms>());
        assert_eq!(size_in(&mesh, "Material"), size_of::<MaterialUniforms>());
        assert_eq!(size_in(environment, "Level"), size_of::<Level>());
        assert_eq!(size_in(&project, "SplatGeometry"), size_of::<SplatGeometry>());
        assert_eq!(size_in(&project, "Ellipse") as u64, ELLIPSE_BYTES);
        assert_eq!(size_in(&binning, "TileGrid"), size_of::<TileGridUniforms>());
    }
}
