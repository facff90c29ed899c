// Decodes the compressed arrays of each GLB with meshoptimizer's own decoder and prints what is in them, a line of JSON
// for each file.
import { readFileSync } from "node:fs";
import { MeshoptDecoder } from "meshoptimizer";

const ARRAYS = { 5120: Int8Array, 5121: Uint8Array, 5122: Int16Array, 5123: Uint16Array, 5125: Uint32Array, 5126: Float32Array };

function chunks(bytes) {
  const jsonLength = bytes.readUInt32LE(12);
  const json = JSON.parse(bytes.subarray(20, 20 + jsonLength).toString());
  return [json, bytes.subarray(20 + jsonLength + 8)];
}

await MeshoptDecoder.ready;
for (const path of process.argv.slice(2)) {
  const [json, binary] = chunks(readFileSync(path));
  const decoded = (index) => {
    const view = json.bufferViews[index];
    const packed = view.extensions.EXT_meshopt_compression;
    const target = new Uint8Array(packed.count * packed.byteStride);
    const source = binary.subarray(packed.byteOffset ?? 0, (packed.byteOffset ?? 0) + packed.byteLength);
    MeshoptDecoder.decodeGltfBuffer(target, packed.count, packed.byteStride, source, packed.mode, packed.filter);
    return [target, packed.byteStride];
  };
  const primitive = json.meshes[0].primitives[0];
  const positions = json.accessors[primitive.attributes.POSITION];
  const indices = json.accessors[primitive.indices];
  const [places, stride] = decoded(positions.bufferView);
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  const Place = ARRAYS[positions.componentType];
  for (let vertex = 0; vertex < positions.count; vertex++) {
    const place = new Place(places.buffer, vertex * stride + (positions.byteOffset ?? 0), 3);
    for (const axis of [0, 1, 2]) {
      low[axis] = Math.min(low[axis], place[axis]);
      high[axis] = Math.max(high[axis], place[axis]);
    }
  }
  const [corners] = decoded(indices.bufferView);
  const numbers = new ARRAYS[indices.componentType](corners.buffer, 0, indices.count);
  const distinct = new Set(numbers);
  console.log(
    JSON.stringify({
      low,
      high,
      says: [positions.min, positions.max],
      vertices: positions.count,
      corners: numbers.length,
      largest: numbers.reduce((a, b) => Math.max(a, b)),
      distinct: distinct.size,
    }),
  );
}
