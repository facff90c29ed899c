//! One file a primitive, beside its shader of the same name.

pub mod composite;
pub mod depth_resolve;
pub mod environment;
pub mod ground;
pub mod lines;
pub mod mesh;
pub mod mips;
pub mod photos;
pub mod present;
pub mod splats;
pub mod wireframe;

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use crate::gpu::{with_frame, with_frame_and_light};

    #[test]
    fn every_shader_is_valid() {
        let shaders = [
            ("composite", with_frame(include_str!("composite.wgsl"))),
            ("depth_resolve", include_str!("depth_resolve.wgsl").to_owned()),
            ("environment", include_str!("environment.wgsl").to_owned()),
            ("ground", with_frame(include_str!("ground.wgsl"))),
            ("lines", with_frame(include_str!("lines.wgsl"))),
            ("mesh", with_frame_and_light(include_str!("mesh.wgsl"))),
            ("mips", include_str!("mips.wgsl").to_owned()),
            ("photos", with_frame(include_str!("photos.wgsl"))),
            ("present", include_str!("present.wgsl").to_owned()),
            ("splats", with_frame(include_str!("splats.wgsl"))),
            ("wireframe", with_frame(include_str!("wireframe.wgsl"))),
        ];
        for (name, source) in &shaders {
            let module = naga::front::wgsl::parse_str(source)
                .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(source)));
            Validator::new(ValidationFlags::all(), Capabilities::SHADER_FLOAT16_IN_FLOAT32)
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
        let parts = ["frame.wgsl", "inspection.wgsl", "tone_mapping.wgsl"];
        assert_eq!(num_files, shaders.len() + parts.len(), "{parts:?} are parts of others");
    }

    #[test]
    fn the_frame_uniforms_have_the_shader_s_size() {
        let source = with_frame("");
        let module = naga::front::wgsl::parse_str(&source).expect("valid");
        let size = module.types.iter().find_map(|(_, ty)| match &ty.inner {
            naga::TypeInner::Struct { span, .. } if ty.name.as_deref() == Some("Frame") => Some(*span),
            _ => None,
        });
        assert_eq!(size, Some(size_of::<crate::frame_uniforms::FrameUniforms>() as u32));
    }
}
