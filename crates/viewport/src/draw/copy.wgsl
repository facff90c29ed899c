// Copies a buffer as fast as the device can: what every other step's memory traffic is measured against.

@group(0) @binding(0) var<storage, read> from_buffer: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> to_buffer: array<vec4u>;

@compute @workgroup_size(256)
fn copy(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let at = (workgroup.y * workgroups.x + workgroup.x) * 256u + thread;
    if (at < arrayLength(&from_buffer)) { to_buffer[at] = from_buffer[at]; }
}
