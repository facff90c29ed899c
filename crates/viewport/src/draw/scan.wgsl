// Sums over a workgroup of 256 threads. Prepended to the shaders that need it.
// Two halves that take turns, so that one barrier a step is enough.
var<workgroup> scan_sums: array<u32, 512>;

// x: sum of the values of the threads before this one, y: sum of all. Every thread of the workgroup must come here.
fn exclusive_scan(thread: u32, value: u32) -> vec2u {
    scan_sums[thread] = value;
    workgroupBarrier();
    var half = 0u;
    for (var step = 1u; step < WORKGROUP_SIZE; step <<= 1u) {
        var sum = scan_sums[half + thread];
        if (thread >= step) { sum += scan_sums[half + thread - step]; }
        half = WORKGROUP_SIZE - half;
        scan_sums[half + thread] = sum;
        workgroupBarrier();
    }
    let result = vec2u(scan_sums[half + thread] - value, scan_sums[half + WORKGROUP_SIZE - 1u]);
    workgroupBarrier();
    return result;
}
