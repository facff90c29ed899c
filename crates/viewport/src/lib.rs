//! wgpu: splats, PBR mesh, overlays, camera, off-screen rendering
