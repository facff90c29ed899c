// Turns each splat into an ellipse on the picture and a key to sort it by; splats outside of its drawn region get none. One
// dispatch a chunk of splats (splat_part.rs): every binding is a window on the chunk.
//
// EWA splatting (Zwicker et al. 2001) as in 3D Gaussian Splatting (Kerbl et al. 2023), the covariance on
// the picture is J W Sigma W^T J^T with J clamped at 1.3 times the view's half extent. Screen filters: 0.3 px added to
// the diagonal (3DGS), or 0.1 px with the opacity scaled by the root of the determinants' ratio (Mip-Splatting,
// Yu et al. 2024). A splat ends where its opacity falls under 1/255, as in both.

struct SplatGeometry {
    position: vec3f,
    scale_xy: u32,     // natural logarithm of the standard deviations, unorm16 from SCALE_LOW to SCALE_HIGH
    scale_z_opacity: u32,
    rotation_xy: u32,  // quaternion, snorm16
    rotation_zw: u32,
    unused: u32,
}

const DILATION: f32 = 0.3;
const MIP_KERNEL: f32 = 0.1;
const MIN_MIP_RATIO: f32 = 0.000025;

@group(1) @binding(0) var<storage, read> geometry: array<SplatGeometry>;
@group(1) @binding(1) var<storage, read> harmonics: array<u32>;
@group(1) @binding(2) var<storage, read_write> projected: array<Ellipse>;
@group(1) @binding(3) var<storage, read_write> depth_keys: array<u32>;
@group(1) @binding(4) var<storage, read_write> block_counts: array<u32>; // visible splats of each workgroup

fn rotation_matrix(q: vec4f) -> mat3x3f {
    let x = q.x; let y = q.y; let z = q.z; let w = q.w;
    return mat3x3f(
        1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y),
        2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x),
        2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y),
    );
}

// Half floats are packed without gaps: coefficient c of splat i is three of them from 3c on.
fn coefficient(base: u32, index: u32) -> vec3f {
    let first = index * 3u;
    let low = unpack2x16float(harmonics[base + first / 2u]);
    let high = unpack2x16float(harmonics[base + first / 2u + 1u]);
    if (first % 2u == 0u) { return vec3f(low.x, low.y, high.x); }
    return vec3f(low.y, high.x, high.y);
}

// Real spherical harmonics to degree 3 with the signs and constants of 3DGS files.
fn splat_color(splat: u32, direction: vec3f) -> vec3f {
    let base = splat * frame.sh_words.x;
    let degree = frame.modes.w;
    var color = 0.5 + 0.28209479177387814 * coefficient(base, 0u);
    if (degree >= 1u) {
        let x = direction.x; let y = direction.y; let z = direction.z;
        color += 0.4886025119029199
            * (-y * coefficient(base, 1u) + z * coefficient(base, 2u) - x * coefficient(base, 3u));
        if (degree >= 2u) {
            let xx = x * x; let yy = y * y; let zz = z * z;
            color += 1.0925484305920792 * x * y * coefficient(base, 4u)
                - 1.0925484305920792 * y * z * coefficient(base, 5u)
                + 0.31539156525252005 * (2.0 * zz - xx - yy) * coefficient(base, 6u)
                - 1.0925484305920792 * x * z * coefficient(base, 7u)
                + 0.5462742152960396 * (xx - yy) * coefficient(base, 8u);
            if (degree >= 3u) {
                color += -0.5900435899266435 * y * (3.0 * xx - yy) * coefficient(base, 9u)
                    + 2.890611442640554 * x * y * z * coefficient(base, 10u)
                    - 0.4570457994644658 * y * (4.0 * zz - xx - yy) * coefficient(base, 11u)
                    + 0.3731763325901154 * z * (2.0 * zz - 3.0 * xx - 3.0 * yy) * coefficient(base, 12u)
                    - 0.4570457994644658 * x * (4.0 * zz - xx - yy) * coefficient(base, 13u)
                    + 1.445305721320277 * z * (xx - yy) * coefficient(base, 14u)
                    - 0.5900435899266435 * x * (xx - 3.0 * yy) * coefficient(base, 15u);
            }
        }
    }
    return max(color, vec3f(0.0));
}

// Rows of the picture's derivative by view position; pixel y grows downwards, view z backwards.
fn picture_jacobian(view: vec3f) -> mat2x3f {
    if (frame.eye.w > 0.5) {
        return mat2x3f(vec3f(frame.focal.x, 0.0, 0.0), vec3f(0.0, -frame.focal.y, 0.0));
    }
    let depth = -view.z;
    let limit = 1.3 * frame.focal.zw;
    let slope = clamp(view.xy / depth, -limit, limit);
    return mat2x3f(
        vec3f(frame.focal.x / depth, 0.0, frame.focal.x * slope.x / depth),
        vec3f(0.0, -frame.focal.y / depth, -frame.focal.y * slope.y / depth),
    );
}

// Grows as depth falls: the usual order-keeping image of a float's bits, inverted. As `descending_key` of splat_order.rs.
fn descending_key(depth: f32) -> u32 {
    // Both zeros are one depth.
    let bits = select(bitcast<u32>(depth), 0u, depth == 0.0);
    return select(~(bits | 0x80000000u), bits, bits >> 31u == 1u);
}

var<workgroup> num_visible: atomic<u32>;

@compute @workgroup_size(256)
fn project(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let block = workgroup.y * workgroups.x + workgroup.x;
    let splat = block * 256u + thread;
    if (thread == 0u) { atomicStore(&num_visible, 0u); }
    workgroupBarrier();
    if (splat < arrayLength(&geometry)) {
        projected[splat].color_b_opacity = 0u;
        let key = project_one(splat);
        depth_keys[splat] = key;
        if (key != NOT_VISIBLE) { atomicAdd(&num_visible, 1u); }
    }
    workgroupBarrier();
    if (thread == 0u && block < arrayLength(&block_counts)) { block_counts[block] = atomicLoad(&num_visible); }
}

// The splat's key, or NOT_VISIBLE.
fn project_one(splat: u32) -> u32 {
    let packed = geometry[splat];
    let view = (frame.view_from_world * vec4f(packed.position, 1.0)).xyz;
    let clip = frame.clip_from_world * vec4f(packed.position, 1.0);
    let is_parallel = frame.eye.w > 0.5;
    if (!is_parallel && !(-view.z > frame.forward.w)) { return NOT_VISIBLE; }
    let ndc = clip.xyz / clip.w;
    if (!(ndc.z >= 0.0 && ndc.z <= 1.0)) { return NOT_VISIBLE; }

    let scale_z_opacity = unpack2x16unorm(packed.scale_z_opacity);
    let log_scale = mix(vec3f(SCALE_LOW), vec3f(SCALE_HIGH),
        vec3f(unpack2x16unorm(packed.scale_xy), scale_z_opacity.x));
    let rotation = rotation_matrix(normalize(
        vec4f(unpack2x16snorm(packed.rotation_xy), unpack2x16snorm(packed.rotation_zw))));
    let scale = exp(log_scale);
    let view_rotation = mat3x3f(frame.view_from_world[0].xyz, frame.view_from_world[1].xyz, frame.view_from_world[2].xyz);
    let spread = view_rotation * rotation;
    let rows = picture_jacobian(view);
    // Covariance = M M^T with M = J W R S, so it never loses definiteness.
    let across = (rows[0] * spread) * scale;
    let down = (rows[1] * spread) * scale;
    var xx = dot(across, across);
    var yy = dot(down, down);
    let xy = dot(across, down);

    var opacity = scale_z_opacity.y;
    if (frame.modes.z == FILTER_MIP) {
        let sharp = max(xx * yy - xy * xy, 0.0);
        xx += MIP_KERNEL;
        yy += MIP_KERNEL;
        opacity *= sqrt(max(MIN_MIP_RATIO, sharp / (xx * yy - xy * xy)));
    } else {
        xx += DILATION;
        yy += DILATION;
    }
    if (!(opacity >= MIN_ALPHA)) { return NOT_VISIBLE; }

    let middle = 0.5 * (xx + yy);
    let radius = length(vec2f(0.5 * (xx - yy), xy));
    let major = sqrt(middle + radius);
    let minor = sqrt(max(middle - radius, 1e-6));
    let angle = 0.5 * atan2(2.0 * xy, xx - yy);
    let center = (vec2f(ndc.x, -ndc.y) * 0.5 + 0.5) * frame.viewport.xy;
    let axis = vec2f(cos(angle), sin(angle));
    // Half extents of the box about the ellipse where opacity is MIN_ALPHA.
    let reach = sqrt(2.0 * log(opacity / MIN_ALPHA)) * sqrt(axis * axis * major * major + axis.yx * axis.yx * minor * minor);
    let from_corner = center - frame.region.xy;
    if (any(from_corner + reach < vec2f(0.0)) || any(from_corner - reach > frame.region.zw)) { return NOT_VISIBLE; }

    var direction = frame.forward.xyz;
    if (!is_parallel) { direction = normalize(packed.position - frame.eye.xyz); }
    let color = splat_color(splat, direction);
    projected[splat] = Ellipse(
        center, axis * major, ndc.z, minor,
        pack2x16float(min(color.rg, vec2f(60000.0))), pack2x16float(vec2f(min(color.b, 60000.0), opacity)),
    );
    return descending_key(dot(packed.position, frame.forward.xyz));
}
