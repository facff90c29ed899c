// Writes the arguments of indirect calls, at places of shared.rs. Prepended to the shaders that write them, which bind `args`.
fn write_args(at: u32, workgroups: vec3u) {
    args[at] = workgroups.x;
    args[at + 1u] = workgroups.y;
    args[at + 2u] = workgroups.z;
}
